/**
 * One app a profile, as Electron's lock: the holder's process id stands in a file of the profile, and a
 * later start leaves its arguments in a file beside it. Invariant: a holder that died holds nothing.
 */
import { type FSWatcher, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromWire, toWire } from "./wire.ts";

export type OnSecondInstance = (argv: string[], workingDirectory: string, additionalData: unknown) => void;

export interface SingleInstanceLock {
  /** Takes the lock, or leaves the arguments for whoever holds it. */
  readonly request: (commandLine: readonly string[], additionalData: unknown, onSecondInstance: OnSecondInstance) => boolean;
  readonly isHeld: () => boolean;
  readonly release: () => void;
}

/** Makes the lock of the profile folder that `userData` names at the time of the request. */
export function createSingleInstanceLock(userData: () => string): SingleInstanceLock {
  let folder: string | undefined;
  let watcher: FSWatcher | undefined;

  return {
    request: (commandLine, additionalData, onSecondInstance) => {
      if (folder !== undefined) return true;
      const wanted = join(userData(), "chromium-host-lock");
      mkdirSync(wanted, { recursive: true, mode: 0o700 });
      if (!takeOwnership(join(wanted, "owner"))) {
        leaveMessage(wanted, { argv: commandLine, cwd: process.cwd(), data: toWire(additionalData) });
        return false;
      }
      folder = wanted;
      watcher = watch(wanted, () => takeMessages(wanted, onSecondInstance));
      watcher.unref();
      return true;
    },
    isHeld: () => folder !== undefined,
    release: () => {
      watcher?.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

function takeOwnership(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch {
    if (isAlive(Number(readFileSync(file, "utf8")))) return false;
    rmSync(file, { force: true });
    return takeOwnership(file);
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const messagePrefix = "second-instance-";

function leaveMessage(folder: string, message: object): void {
  const temporary = join(folder, `.${process.pid}`);
  writeFileSync(temporary, JSON.stringify(message), { mode: 0o600 });
  // Renamed when complete, so that the holder never reads half a message.
  renameSync(temporary, join(folder, `${messagePrefix}${process.pid}`));
}

function takeMessages(folder: string, onSecondInstance: OnSecondInstance): void {
  for (const name of readNames(folder).filter((entry) => entry.startsWith(messagePrefix))) {
    const file = join(folder, name);
    // Written by leaveMessage, into a folder only this user can enter.
    const { argv, cwd, data } = JSON.parse(readFileSync(file, "utf8")) as { argv: string[]; cwd: string; data: unknown };
    rmSync(file);
    onSecondInstance(argv, cwd, fromWire(data));
  }
}

/** The folder goes away when the lock is released, which the watcher reports too. */
function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
