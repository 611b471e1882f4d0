/**
 * Decides when the open vault is backed up: soon after it was opened, some time after what cannot be fetched again changed
 * (a registration, a program, a new connection), and every few hours while tokens roll on.
 *
 * Invariant: one backup at a time; a failed one is told once and tried again; none is begun after `stop`.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { listBackups, removeUnfinishedBackup, takeBackup } from "./backups.ts";
import { backupFailed } from "./vault-failures.ts";
import type { VaultTables } from "./vault-tables.ts";

/** Leaves the start-up alone. */
const afterOpeningMs = 5_000;
/** Several changes in a row make one backup. */
const afterChangeMs = 30_000;
const everyMs = 6 * 60 * 60 * 1_000;
/** A disk is made room on within minutes, or not today. */
const afterFailureMs = 10 * 60 * 1_000;

export interface BackupKeeper {
  /** Something changed that no provider can give again. */
  readonly changed: () => void;
  /** There is no good backup any more. */
  readonly soon: () => void;
  /** Backs up now, or after the backup under way. Fails with `vault_backup_failed`. */
  readonly backUp: () => Promise<Result<undefined>>;
  /** Discards a backup under way: it holds what must not be kept. */
  readonly discardCurrent: () => void;
  /** Unix milliseconds. */
  readonly newestAtMs: () => number | undefined;
  readonly stop: () => void;
}

export function createBackupKeeper(
  tables: VaultTables,
  folder: string,
  nowMs: () => number,
  onOutcome: (failed: Failure | undefined) => void,
): BackupKeeper {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let epoch = 0;
  let running: Promise<Result<undefined>> = Promise.resolve(ok());
  removeUnfinishedBackup(folder);

  const takeOne = async (): Promise<Result<undefined>> => {
    if (stopped) return ok();
    const begun = epoch;
    try {
      const isWanted = () => !stopped && begun === epoch;
      const taken = await takeBackup(tables.database, folder, nowMs(), isWanted);
      if (taken || stopped) return ok();
      // Discarded on the way, because the key was changed: another one under the new key.
      if (begun !== epoch) return await takeOne();
      return err(failure("vault_backup_failed", { problem: "the copy is not sound" }));
    } catch (error) {
      // Closing the database in the middle of a backup ends it with an error, too.
      return stopped ? ok() : err(backupFailed(error));
    }
  };
  const backUp = (): Promise<Result<undefined>> => {
    running = running.then(takeOne);
    return running;
  };
  const backUpAndTell = async () => {
    dueMs = Number.POSITIVE_INFINITY;
    const done = await backUp();
    if (stopped) return;
    onOutcome(done.ok ? undefined : done.error);
    schedule(done.ok ? everyMs : afterFailureMs);
  };
  let dueMs = Number.POSITIVE_INFINITY;
  const schedule = (delayMs: number) => {
    const wantedMs = performance.now() + delayMs;
    // Changes that follow each other must not put a backup off for ever.
    if (stopped || wantedMs >= dueMs) return;
    clearTimeout(timer);
    dueMs = wantedMs;
    timer = setTimeout(() => void backUpAndTell(), delayMs);
    timer.unref();
  };
  schedule(afterOpeningMs);
  return {
    changed: () => schedule(afterChangeMs),
    soon: () => schedule(0),
    backUp,
    discardCurrent: () => {
      epoch += 1;
    },
    newestAtMs: () => listBackups(folder)[0]?.takenAtMs,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
