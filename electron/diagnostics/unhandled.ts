/**
 * Writes bugs nobody caught to the log. The app goes on: the vault's writes are whole transactions, and a broker that
 * is gone helps no one; the log says what to mend.
 */
import type { Log } from "../core/ports.ts";

type ProcessEvents = Pick<NodeJS.EventEmitter, "on" | "off">;

/** Listens on `target` (the process) for unhandled rejections and uncaught exceptions. Returns a function that stops it. */
export function logUnhandled(log: Pick<Log, "error">, target: ProcessEvents = process): () => void {
  const onRejection = (reason: unknown) => log.error("unhandled rejection", reason);
  const onException = (error: unknown) => log.error("uncaught exception", error);
  target.on("unhandledRejection", onRejection);
  target.on("uncaughtException", onException);
  return () => {
    target.off("unhandledRejection", onRejection);
    target.off("uncaughtException", onException);
  };
}
