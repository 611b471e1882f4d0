/**
 * Keeps the keys that Chromium seals with on Windows, generation by generation, and puts an earlier one back.
 *
 * `safeStorage`'s key lies DPAPI-wrapped in `Local State` (JSON, `os_crypt.encrypted_key`). If Windows cannot unwrap it, as
 * after a password reset by an administrator or with a profile of another computer, Chromium makes a new key and overwrites
 * the old one (os_crypt_win.cc, `OSCryptImpl::Init`); whatever the old key sealed is then lost, although the old one might
 * work again later. Electron reads the file only after the app's main module was evaluated, also when that is an ES module
 * (electron_browser_main_parts.cc `PostEarlyInitialization`: `JoinAppCode`, then browser_process_impl.cc reads the file).
 *
 * Invariants: nothing here throws; a file that cannot be understood is never copied over a copy; `Local State` is replaced
 * only on a person's request, once for each, and is set aside before. Every function is for the process that holds the
 * profile's single-instance lock. Callers see to it that this is Windows; nothing in here depends on it.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { writeDurably } from "./durable-file.ts";

/** One word for the log. */
export type LocalStateProblem =
  /** The system does not let the file be read. */
  | "unreadable"
  /** It is no JSON, or its key has not the form that Chromium writes. */
  | "damaged"
  /** The disk or its permissions refused. */
  | "not_written";

/** Where the key never unwraps, as with some roaming profiles, each start makes a new one. The proven copy is never dropped for them. */
const keptCopies = 8;

const copyName = /^local-state-\d{8}-(\d{1,9})\.json$/;

/**
 * Copies `Local State` to `system-keys/local-state-YYYYMMDD-N.json` if its key is in no copy yet. Call it before Electron is
 * ready and after `applyRequestedSystemKeys`.
 *
 * @param folder the profile, Electron's `userData`
 * @param nowMs Unix milliseconds
 * @returns the new copy's name; undefined when nothing had to be copied
 */
export function keepLocalState(folder: string, nowMs: number): Result<{ readonly kept: string | undefined }, LocalStateProblem> {
  const current = readLocalState(localStatePath(folder));
  if (current.kind === "unreadable" || current.kind === "damaged") return err(current.kind);
  if (current.kind !== "keyed") return ok({ kept: undefined });
  return attempt(() => {
    const copies = listCopies(folder);
    if (copies.some(({ key }) => key === current.key)) return { kept: undefined };
    const name = `local-state-${utcStamp(nowMs).slice(0, 8)}-${nextNumber(folder)}.json`;
    writeDurably(join(keysFolder(folder), name), current.text, keysFolder(folder));
    // One copy too many does no harm.
    attempt(() => dropSurplus(folder, copies));
    return { kept: name };
  });
}

export interface EarlierSystemKeys {
  /** File name of the copy in `system-keys`. */
  readonly name: string;
}

/**
 * The copies with another key than the present `Local State` that were not tried yet: first the one under which the vault
 * last opened, then the newest.
 */
export function earlierSystemKeys(folder: string): readonly EarlierSystemKeys[] {
  const current = readLocalState(localStatePath(folder));
  const currentKey = current.kind === "keyed" ? current.key : undefined;
  const { tried, proven } = readRecord(folder);
  const earlier = listCopies(folder).filter(({ name, key }) => key !== currentKey && !tried.includes(name));
  return earlier.toReversed().toSorted((one, other) => Number(other.name === proven) - Number(one.name === proven));
}

/** Notes durably that the first of `earlierSystemKeys` is to be put back at the next start. Fails with `none_left` or `not_written`. */
export function requestEarlierSystemKeys(folder: string): Result<{ readonly requested: string }, LocalStateProblem | "none_left"> {
  const [copy] = earlierSystemKeys(folder);
  if (copy === undefined) return err("none_left");
  return attempt(() => {
    writeRecord(folder, { ...readRecord(folder), requested: copy.name });
    return { requested: copy.name };
  });
}

/**
 * Puts the requested key into `Local State`, whose other content stays; one that cannot be read is replaced whole. The old
 * file is renamed to `Local State.set-aside-YYYYMMDD-HHMMSS`. Call it before Electron is ready and before `keepLocalState`.
 *
 * @param nowMs Unix milliseconds
 * @returns the copy that was put back; undefined when none was requested
 */
export function applyRequestedSystemKeys(
  folder: string,
  nowMs: number,
): Result<{ readonly applied: string | undefined }, LocalStateProblem> {
  const { requested, ...record } = readRecord(folder);
  if (requested === undefined) return ok({ applied: undefined });
  // Before anything is changed: a start that is interrupted, or fails, must not do it again and again. The copy counts as
  // tried only afterwards, so that a person can ask for it once more.
  const taken = attempt(() => writeRecord(folder, record));
  if (!taken.ok) return taken;
  const copy = listCopies(folder).find(({ name }) => name === requested);
  if (copy === undefined) return err("damaged");
  const replaced = attempt(() => replaceKey(folder, copy, nowMs));
  if (!replaced.ok) return replaced;
  // If this cannot be written, the copy is offered once more, which does no harm.
  attempt(() => writeRecord(folder, { ...record, tried: [...record.tried, requested] }));
  return ok({ applied: requested });
}

/**
 * Remembers the present key as one that opened the vault: its copy is then never dropped for newer ones and offered first,
 * and all others may be tried anew. Call it when the vault is open and `safeStorage` was among the places that opened it.
 */
export function rememberProvenSystemKeys(folder: string): Result<undefined, LocalStateProblem> {
  const current = readLocalState(localStatePath(folder));
  const copy = current.kind === "keyed" ? listCopies(folder).find(({ key }) => key === current.key) : undefined;
  const record = readRecord(folder);
  if (copy === undefined || (record.proven === copy.name && record.tried.length === 0)) return ok();
  const written = attempt(() => writeRecord(folder, { ...record, tried: [], proven: copy.name }));
  return written.ok ? ok() : written;
}

// ---- files ------------------------------------------------------------------------------------

const localStateSchema = z.looseObject({ os_crypt: z.looseObject({ encrypted_key: z.string().optional() }).optional() });

type LocalStateContent = z.infer<typeof localStateSchema>;

type LocalState =
  | { readonly kind: "absent" | "unreadable" | "damaged" }
  | { readonly kind: "keyless"; readonly content: LocalStateContent }
  | { readonly kind: "keyed"; readonly content: LocalStateContent; readonly key: string; readonly text: string };

function readLocalState(path: string): LocalState {
  try {
    const text = readFileSync(path, "utf8");
    const content = localStateSchema.parse(JSON.parse(text));
    const key = content.os_crypt?.encrypted_key;
    if (key === undefined) return { kind: "keyless", content };
    return isWrappedKey(key) ? { kind: "keyed", content, key, text } : { kind: "damaged" };
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) return { kind: "damaged" };
    return { kind: "code" in error && error.code === "ENOENT" ? "absent" : "unreadable" };
  }
}

/** Base64 of `DPAPI` and the wrapped bytes (os_crypt_win.cc, `kDPAPIKeyPrefix`). */
function isWrappedKey(key: string): boolean {
  const bytes = Buffer.from(key, "base64");
  return bytes.length > 5 && bytes.toString("latin1", 0, 5) === "DPAPI";
}

interface Copy extends EarlierSystemKeys {
  readonly key: string;
  readonly text: string;
  readonly content: LocalStateContent;
}

/** Every sound copy, oldest first. The number tells the age: a clock may have been set back. */
function listCopies(folder: string): readonly Copy[] {
  const copies = copyNames(folder).flatMap((name) => {
    const state = readLocalState(join(keysFolder(folder), name));
    return state.kind === "keyed" ? [{ ...state, name }] : [];
  });
  return copies.toSorted((one, other) => numberOf(one.name) - numberOf(other.name));
}

/** Drops the oldest of `copies`, to which one has just been added, but not the proven one. */
function dropSurplus(folder: string, copies: readonly Copy[]): void {
  const { proven, requested } = readRecord(folder);
  const surplus = Math.max(0, copies.length + 1 - keptCopies);
  const droppable = copies.filter(({ name }) => name !== proven && name !== requested);
  for (const { name } of droppable.slice(0, surplus)) rmSync(join(keysFolder(folder), name), { force: true });
}

/** Damaged copies count, too: no name is used twice. */
function nextNumber(folder: string): number {
  return Math.max(0, ...copyNames(folder).map(numberOf)) + 1;
}

function copyNames(folder: string): readonly string[] {
  try {
    return readdirSync(keysFolder(folder)).filter((name) => copyName.test(name));
  } catch {
    return [];
  }
}

function numberOf(name: string): number {
  return Number(copyName.exec(name)?.[1]);
}

/** Throws the system's error; the old file is then where it was. */
function replaceKey(folder: string, copy: Copy, nowMs: number): void {
  const path = localStatePath(folder);
  const current = readLocalState(path);
  if (current.kind === "keyed" && current.key === copy.key) return;
  const text = "content" in current ? JSON.stringify({ ...current.content, os_crypt: copy.content.os_crypt }) : copy.text;
  const aside = unusedPath(`${path}.set-aside-${utcStamp(nowMs)}`);
  try {
    writeDurably(path, text, keysFolder(folder), () => current.kind !== "absent" && renameSync(path, aside));
  } catch (error) {
    if (existsSync(aside) && !existsSync(path)) renameSync(aside, path);
    throw error;
  }
}

const recordSchema = z.object({
  version: z.literal(1),
  /** The copy to put back at the next start. */
  requested: z.string().exactOptional(),
  /** Copies that were put back already. */
  tried: z.array(z.string()).readonly(),
  /** The copy under whose key the vault last opened. */
  proven: z.string().exactOptional(),
});

type KeysRecord = Readonly<z.infer<typeof recordSchema>>;

/** A record that is missing or damaged asks for nothing and has tried nothing. */
function readRecord(folder: string): KeysRecord {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordPath(folder), "utf8")));
  } catch {
    return { version: 1, tried: [] };
  }
}

function writeRecord(folder: string, record: KeysRecord): void {
  writeDurably(recordPath(folder), `${JSON.stringify(record)}\n`, keysFolder(folder));
}

function localStatePath(folder: string): string {
  return join(folder, "Local State");
}

function keysFolder(folder: string): string {
  return join(folder, "system-keys");
}

function recordPath(folder: string): string {
  return join(keysFolder(folder), "record.json");
}

/** `YYYYMMDD-HHMMSS` in UTC. */
function utcStamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}

function unusedPath(wanted: string): string {
  let path = wanted;
  for (let number = 2; existsSync(path); number += 1) path = `${wanted}-${number}`;
  return path;
}

/** Errors of the file system become `not_written`; they carry paths, which say nothing that the word does not. */
function attempt<T>(work: () => T): Result<T, "not_written"> {
  try {
    return ok(work());
  } catch {
    return err("not_written");
  }
}
