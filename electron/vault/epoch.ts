/**
 * Notices that the vault as a whole is an older copy: restored from a backup, or with a stale write-ahead log.
 *
 * Each opening and each clean closing starts a new epoch inside the vault, and after that its number is noted outside, in a
 * file of the profile and in the credential store. Invariant: what is noted outside is never ahead of the vault, so a vault
 * that is behind its note was put back. Nothing secret is in a note.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { writeFileAtomically } from "./atomic-file.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { RecordContext, Sealer } from "./sealing.ts";
import { parseJson } from "./stored-json.ts";
import { sealedBytes } from "./stored-row.ts";

const epochSchema = z.strictObject({
  number: z.int().nonnegative(),
  /** Tells two histories apart that have counted to the same number. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
});
const noteSchema = epochSchema.extend({ mark: z.string() });
export type Epoch = Readonly<z.infer<typeof epochSchema>>;

const rowSchema = z.object({ sealed_epoch: sealedBytes });
const context: RecordContext = { kind: "epoch", names: [], recordVersion: 1, generation: 0 };

/** The epoch the vault says it is in; `undefined` before its first. Throws SQLite's errors. */
export function readEpoch(database: DatabaseSync, sealer: Sealer): Epoch | undefined {
  const row = database.prepare("SELECT sealed_epoch FROM epoch").get();
  if (row === undefined) return undefined;
  return epochSchema.safeParse(parseJson(sealer.open(context, rowSchema.parse(row).sealed_epoch) ?? "")).data;
}

/** Writes the epoch that follows `before`. Throws SQLite's errors. */
export function startEpoch(database: DatabaseSync, sealer: Sealer, before: Epoch | undefined): Epoch {
  const epoch: Epoch = { number: (before?.number ?? 0) + 1, id: randomBytes(16).toString("hex") };
  saveEpoch(database, sealer, epoch);
  return epoch;
}

function saveEpoch(database: DatabaseSync, sealer: Sealer, epoch: Epoch): void {
  const sealed = sealer.seal(context, JSON.stringify(epoch));
  database.prepare("INSERT OR REPLACE INTO epoch (id, sealed_epoch) VALUES (1, ?)").run(sealed);
}

/** Seals the epoch under another key. Throws SQLite's errors. */
export function resealEpoch(database: DatabaseSync, from: Sealer, to: Sealer): void {
  const epoch = readEpoch(database, from);
  if (epoch !== undefined) saveEpoch(database, to, epoch);
}

/** Whether a vault in `epoch` is older than what was noted about it, or another one that has counted as far. */
export function isBehind(epoch: Epoch | undefined, noted: Epoch | undefined): boolean {
  if (noted === undefined) return false;
  if (epoch === undefined) return true;
  return epoch.number < noted.number || (epoch.number === noted.number && epoch.id !== noted.id);
}

/** The note in the profile; `undefined` when there is none, or none that this key wrote: then it says nothing. */
export function readEpochFile(folder: string, sealer: Sealer): Epoch | undefined {
  try {
    const note = noteSchema.safeParse(JSON.parse(readFileSync(epochPath(folder), "utf8"))).data;
    if (note === undefined) return undefined;
    const { mark, ...epoch } = note;
    return mark === markOf(epoch, sealer) ? epoch : undefined;
  } catch {
    return undefined;
  }
}

/** Throws the system's error. */
export function writeEpochFile(folder: string, epoch: Epoch, sealer: Sealer): void {
  writeFileAtomically(epochPath(folder), `${JSON.stringify({ ...epoch, mark: markOf(epoch, sealer) })}\n`);
}

/** Tells a damaged note from an honest one: a flipped digit must not put every grant in doubt. */
function markOf({ number, id }: Epoch, sealer: Sealer): string {
  return Buffer.from(sealer.marker()(`epoch.${number}.${id}`)).toString("hex");
}

function epochPath(folder: string): string {
  return join(folder, "vault-epoch.json");
}

/** The note in the credential store: it outlives a profile folder that is put back as a whole. */
export async function readEpochCredential(store: CredentialStore, vaultId: string): Promise<Epoch | undefined> {
  const read = await store.read(accountOf(vaultId));
  if (!read.ok || read.value?.length !== noteBytes) return undefined;
  const bytes = Buffer.from(read.value);
  return { number: Number(bytes.readBigUInt64BE(0)), id: bytes.toString("hex", 8, 24) };
}

/** A store that does not take it has no say at the next opening. */
export async function writeEpochCredential(store: CredentialStore, vaultId: string, epoch: Epoch): Promise<void> {
  const bytes = Buffer.alloc(noteBytes);
  bytes.writeBigUInt64BE(BigInt(epoch.number), 0);
  bytes.write(epoch.id, 8, "hex");
  await store.write(accountOf(vaultId), bytes);
}

const noteBytes = 24;

function accountOf(vaultId: string): string {
  return `vault epoch ${vaultId}`;
}
