/**
 * The end of the app: quit, restart, or the end of the person's session.
 *
 * Invariants: however often and for whatever reason somebody ends it, everything is closed once and in order before the
 * app goes. From the moment that the end is settled it takes at most `longestCloseMs`: what was under way is on the disk as such
 * by then (a renewal is journaled before it is sent), so the app may go without waiting for anybody's answer.
 */
import type { App } from "electron";
import type { Failure } from "../../shared/failure.ts";
import type { Log } from "../core/ports.ts";

/** What the pipe's programs are told: whether the app comes back by itself. */
export type CloseReason = "quit" | "restart";

export interface AppEndParts {
  readonly app: Pick<App, "quit" | "exit">;
  /** What has to be closed; undefined while nothing is open. */
  readonly running: () => Closable | undefined;
  /** Asks the person whether to lose what could not be saved. */
  readonly isSure: (why: Failure, unsaved: number) => Promise<boolean>;
  /** Makes the system start the app again after its end. */
  readonly relaunch: () => void;
  readonly log: Pick<Log, "error" | "warn">;
  /** Last of all, in any case. */
  readonly onClosed: () => void;
  /** For tests. */
  readonly longestCloseMs?: number;
}

interface Closable {
  /** Tries to write what is in memory only; why, for each sign-in that would be lost. */
  readonly unsaved: () => Promise<readonly Failure[]>;
  readonly close: (reason: CloseReason) => Promise<void>;
}

export interface AppEnd {
  /** For Electron's `before-quit`. */
  readonly beforeQuit: (event: { readonly preventDefault: () => void }) => void;
  /** The person's session ends: nobody is asked anything any more. */
  readonly endSession: () => void;
  readonly restart: () => void;
}

/** Neither a provider nor a disk that does not answer must keep the app, or the computer, from ending. */
const longestCloseMs = 3_000;

export function createAppEnd(parts: AppEndParts): AppEnd {
  const { app, log } = parts;
  const limitMs = parts.longestCloseMs ?? longestCloseMs;
  const sessionEnded = Promise.withResolvers<boolean>();
  let isSessionEnding = false;
  let reason: CloseReason = "quit";
  let closing: Promise<void> | undefined;
  let isClosed = false;

  const closeAll = async (open: Closable): Promise<void> => {
    const startedMs = performance.now();
    // Half of the time at most: the other half is for closing.
    const unsaved = await withLimit(told(open.unsaved(), log), limitMs / 2, undefined);
    const [why] = unsaved ?? [];
    const askedMs = performance.now();
    if (why !== undefined && !(await mayLose(why, unsaved?.length ?? 0))) {
      [closing, reason] = [undefined, "quit"];
      return;
    }
    const leftMs = limitMs - (askedMs - startedMs);
    const isInOrder = await withLimit(
      told(
        open.close(reason).then(() => true as const),
        log,
      ),
      leftMs,
      undefined,
    );
    if (isInOrder !== true) log.warn("close.not_in_order");
    parts.onClosed();
    isClosed = true;
    if (reason === "restart") parts.relaunch();
    // Not by way of the windows if something hangs already.
    if (isInOrder === true) app.quit();
    else app.exit(0);
  };
  const mayLose = async (why: Failure, unsaved: number): Promise<boolean> => {
    if (isSessionEnding) return true;
    // A host that cannot ask must still be able to end.
    return Promise.race([parts.isSure(why, unsaved).catch(() => true), sessionEnded.promise]);
  };

  return {
    beforeQuit: (event) => {
      if (isClosed) return;
      const open = parts.running();
      if (open === undefined) {
        if (reason === "restart") parts.relaunch();
        return;
      }
      event.preventDefault();
      closing ??= closeAll(open);
    },
    endSession: () => {
      isSessionEnding = true;
      sessionEnded.resolve(true);
      app.quit();
    },
    restart: () => {
      reason = "restart";
      app.quit();
    },
  };
}

async function told<T>(work: Promise<T>, log: Pick<Log, "error">): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    log.error("close", error);
    return undefined;
  }
}

async function withLimit<T, L>(work: Promise<T>, limitMs: number, late: L): Promise<T | L> {
  const limit = Promise.withResolvers<L>();
  const timer = setTimeout(() => limit.resolve(late), limitMs);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
