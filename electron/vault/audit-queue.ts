/**
 * Collects audit entries and writes those of a short while in one transaction: an fsync for each token request would make
 * the next program wait.
 *
 * Invariant: an entry's promise settles only after the commit that holds it, so `ok` still means that it survives a power
 * cut; entries are written in the order they came.
 */
import type { Result } from "../../shared/result.ts";
import type { AuditEntry } from "../core/ports.ts";

/** At most 20 commits a second, and an audit row is at most this late. */
const waitMs = 50;
/** More are not waited for: bounds what is in memory, about 1 MB. */
const maxWaiting = 4_000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly settle: (result: Result<undefined>) => void;
  readonly reject: (bug: unknown) => void;
}

export interface AuditQueue {
  readonly append: (entry: AuditEntry) => Promise<Result<undefined>>;
  /** Writes what waits now. */
  readonly flush: () => void;
}

/** `write` stores all entries durably or none; it throws only for bugs. */
export function createAuditQueue(write: (entries: readonly AuditEntry[]) => Result<undefined>): AuditQueue {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const result = write(batch.map(({ entry }) => entry));
      for (const { settle } of batch) settle(result);
    } catch (bug) {
      for (const { reject } of batch) reject(bug);
    }
  };
  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ entry, settle: resolve, reject });
        // Between two turns of the event loop: within one, all whose answers are still to be sent would wait for the disk.
        if (waiting.length === maxWaiting) setImmediate(flush);
        else timer ??= setTimeout(flush, waitMs);
      }),
    flush,
  };
}
