/**
 * Whether the vault is locked or its broker runs, and every way from one to the other.
 *
 * Invariants: one change at a time; the broker runs exactly while the vault is open; a vault that does not open is told with
 * what a person can do about it, and stays as it is until that person chooses.
 */
import { type Failure, failure } from "../shared/failure.ts";
import { err, ok, type Result } from "../shared/result.ts";
import type { VaultRecoveryView, VaultView } from "../shared/views.ts";
import type { ConnectionRecord } from "./core/connection-state.ts";
import type { VaultControl } from "./ipc/vault-handlers.ts";
import type { LockedVault, OpenedVault } from "./vault/vault.ts";

/** What runs on an open vault. */
interface Running {
  /** @param retryAfterSeconds when programs should come back, where that is known */
  readonly close: (retryAfterSeconds?: number) => Promise<void>;
}

export interface VaultLifecycleParts<R extends Running> {
  readonly open: (passphrase?: string) => Promise<Result<OpenedVault, LockedVault>>;
  readonly start: (opened: OpenedVault) => Promise<Result<R>>;
  /** The connections a locked vault shows without its key. */
  readonly lockedConnections: () => readonly ConnectionRecord[];
  /** The same as a new vault keeps them. */
  readonly waiting: (connections: readonly ConnectionRecord[]) => readonly ConnectionRecord[];
  readonly providerName: (provider: string) => string;
  readonly anew: {
    /** Sets the whole vault aside; gives its new name. */
    readonly setAside: () => Result<string>;
    /** The connections of a vault that was set aside and are not in the new one yet. */
    readonly resume: () => Result<readonly ConnectionRecord[]>;
    /** They are there. */
    readonly end: () => void;
  };
  /** Windows: earlier copies of the key file of `safeStorage`. `use` restarts the app, `proven` says that `safeStorage` opened the vault. */
  readonly earlierSystemKeys?: { readonly available: () => boolean; readonly use: () => Result<undefined>; readonly proven: () => void };
  readonly onChanged: () => void;
}

export interface VaultLifecycle<R extends Running> {
  readonly control: VaultControl;
  /** What runs, or why nothing does. */
  readonly running: () => Result<R>;
  readonly view: () => VaultView;
  readonly notices: () => readonly Failure[];
  readonly close: (retryAfterSeconds?: number) => Promise<void>;
}

type State<R> =
  | { readonly kind: "locked"; readonly why: LockedVault; readonly connections: VaultRecoveryView["connections"] }
  | { readonly kind: "running"; readonly opened: OpenedVault; readonly broker: R };

const retryMs = 15_000;

/** Failures that a new vault would not help with. */
const notForStartingAnew: readonly Failure["code"][] = ["vault_in_use", "vault_newer", "vault_write_failed", "vault_protection_missing"];

/** Opens the vault and starts the broker, or stays locked. */
export async function startVaultLifecycle<R extends Running>(parts: VaultLifecycleParts<R>): Promise<VaultLifecycle<R>> {
  const retry = createRetry(() => void change(() => unlock()));
  let anew: readonly Failure[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let state = await openAndStart();

  async function openAndStart(passphrase?: string): Promise<State<R>> {
    const waiting = parts.anew.resume();
    if (!waiting.ok) return lockedHere(withoutPlaces(waiting.error));
    const opened = await parts.open(passphrase);
    if (!opened.ok) return lockedHere(opened.error);
    const kept = await keepWaiting(opened.value, waiting.value);
    const broker = kept.ok ? await parts.start(opened.value) : kept;
    if (broker.ok) {
      if (safeStorageOpens(opened.value)) parts.earlierSystemKeys?.proven();
      return { kind: "running", opened: opened.value, broker: broker.value };
    }
    opened.value.close();
    return lockedHere(withoutPlaces(broker.error));
  }

  /** After starting anew: the old vault's connections go into the new one. */
  async function keepWaiting({ vault }: OpenedVault, connections: readonly ConnectionRecord[]): Promise<Result<undefined>> {
    for (const record of parts.waiting(connections)) {
      const written = await vault.commitConnection(record);
      // A connection that is there already was kept by an earlier try.
      if (!written.ok && written.error.code !== "vault_conflict") return written;
    }
    parts.anew.end();
    return ok();
  }

  function lockedHere(why: LockedVault): State<R> {
    // A disk that is full or away now comes back without anybody's help.
    if (why.failure.code === "vault_write_failed") retry.later();
    return lockedState(parts, why);
  }

  /** One at a time: a second click must not open the vault twice. */
  function change(work: () => Promise<Result<undefined>>): Promise<Result<undefined>> {
    const changed = queue.then(work);
    queue = changed.catch(() => undefined);
    return changed;
  }

  /** A wrong passphrase is answered to whoever typed it; what the page says stays as it was. */
  const unlock = async (passphrase?: string): Promise<Result<undefined>> => {
    if (state.kind === "running") return ok();
    const before = state;
    const next = await openAndStart(passphrase);
    const mistyped = next.kind === "locked" && isAboutTyping(next.why.failure);
    state = mistyped ? before : next;
    parts.onChanged();
    return next.kind === "running" ? ok() : err(next.why.failure);
  };
  const startAnew = async (): Promise<Result<undefined>> => {
    if (state.kind === "running" || !canStartAnew(state.why)) return err(failure("vault_in_use"));
    const aside = parts.anew.setAside();
    if (!aside.ok) return aside;
    anew = [failure("vault_started_anew", { file: aside.value })];
    return unlock();
  };
  const whileOpen = (work: (opened: OpenedVault) => Promise<Result<undefined>>) =>
    change(async () => {
      if (state.kind === "locked") return err(state.why.failure);
      const done = await work(state.opened);
      parts.onChanged();
      return done;
    });

  return {
    control: {
      tryAgain: () => change(() => unlock()),
      unlock: (passphrase) => change(() => unlock(passphrase)),
      setPassphrase: (passphrase) =>
        state.kind === "locked" ? change(() => unlock(passphrase)) : whileOpen((opened) => opened.setPassphrase(passphrase)),
      removePassphrase: () => whileOpen((opened) => opened.removePassphrase()),
      startAnew: () => change(startAnew),
      useEarlierSystemKeys: async () => parts.earlierSystemKeys?.use() ?? err(failure("vault_locked")),
      rekey: (passphrase) => whileOpen((opened) => opened.rekey(passphrase)),
    },
    running: () => (state.kind === "running" ? ok(state.broker) : err(state.why.failure)),
    view: () => viewOf(state, () => parts.earlierSystemKeys?.available() ?? false),
    notices: () => (state.kind === "running" ? [...anew, ...state.opened.notices] : []),
    close: async (retryAfterSeconds) => {
      retry.stop();
      await queue;
      if (state.kind === "running") await state.broker.close(retryAfterSeconds);
    },
  };
}

function safeStorageOpens({ notices }: OpenedVault): boolean {
  return !notices.some(({ code, params }) => code === "vault_key_single_copy" && params["missing"] === "safeStorage");
}

function viewOf(state: State<unknown>, hasEarlierSystemKeys: () => boolean): VaultView {
  if (state.kind === "running") {
    const newestBackupAtMs = state.opened.newestBackupAtMs();
    return {
      state: "open",
      hasPassphrase: state.opened.hasPassphrase(),
      ...(newestBackupAtMs === undefined ? {} : { newestBackupAtMs }),
    };
  }
  const { why, connections } = state;
  return {
    state: "locked",
    failure: why.failure,
    recovery: {
      places: why.places,
      canUsePassphrase: why.canUsePassphrase,
      canChoosePassphrase: why.canChoosePassphrase,
      canUseEarlierSystemKeys: canStartAnew(why) && hasEarlierSystemKeys(),
      canStartAnew: canStartAnew(why),
      connections,
    },
  };
}

function lockedState<R extends Running>(parts: VaultLifecycleParts<R>, why: LockedVault): State<R> {
  // The file of another process, or of a newer version, is none of ours to look into.
  const mayLook = why.exists && !notForStartingAnew.includes(why.failure.code);
  const connections = mayLook ? parts.lockedConnections() : [];
  return { kind: "locked", why, connections: connections.map(({ key }) => ({ ...key, providerName: parts.providerName(key.provider) })) };
}

function createRetry(work: () => void) {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  return {
    later: () => {
      stop();
      timer = setTimeout(work, retryMs);
      timer.unref();
    },
    stop,
  };
}

function withoutPlaces(failure: Failure): LockedVault {
  return { failure, places: [], canUsePassphrase: false, canChoosePassphrase: false, exists: true };
}

function canStartAnew(why: LockedVault): boolean {
  return why.exists && !notForStartingAnew.includes(why.failure.code);
}

function isAboutTyping({ code }: Failure): boolean {
  return code === "vault_passphrase_wrong" || code === "vault_passphrase_weak";
}
