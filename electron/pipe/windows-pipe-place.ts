/**
 * The place of the Windows pipe: a name that is free, and an access list that lets in the user and SYSTEM and nobody else.
 *
 * Node creates the pipe with Windows' default list: Everyone may open it for reading, and other computers are not refused.
 * It cannot be told another one, so the list is replaced by name as soon as the pipe listens. Who connects before that, and
 * is not sent away, could only read, and the server never speaks first.
 *
 * Invariant: `closeToOthers` succeeds only after the list was read back from this process's own pipe and is as wanted.
 */
import { setTimeout as delay } from "node:timers/promises";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { PipePlace } from "./pipe-place.ts";
import { hasAccessList, openForAccess, privateAccessList, setAccessList } from "./windows-access-list.ts";
import { loadWindowsCalls, type NativeNumber, succeed, WindowsCallError, type WindowsCalls, windowsErrors } from "./windows-calls.ts";
import { isNetworkLogon, ownSid } from "./windows-user.ts";

/** Zero would mean what the server of the pipe says. */
const shortestWaitMs = 1;
/** Node keeps four ends ready; a flood of strangers may have taken them all, and is sent away in the meantime. */
const busyAttempts = 20;
const busyDelayMs = 50;
/** Node notices a connection in its next turn. */
const ownConnectionMs = 1_000;

/**
 * Makes sure that nobody has the name, and that the list can be set once the pipe listens.
 *
 * @returns `pipe_in_use` if somebody has the name, `pipe_not_private` if the list cannot be set
 */
export async function prepareWindowsPipe(name: string): Promise<Result<PipePlace>> {
  const calls = await loadWindowsCalls();
  if (calls === undefined) return notPrivate("koffi could not be loaded");
  // Node lets no second server on a name (FILE_FLAG_FIRST_PIPE_INSTANCE), but Wine does not keep to that.
  if (isNameTaken(calls, name)) return err(failure("pipe_in_use", { name }));
  return orNotPrivate(() => {
    // The list would refuse this process too, and Node would try without end to create another instance.
    if (isNetworkLogon(calls)) return notPrivate("this session was opened from another computer");
    const accessList = privateAccessList(ownSid(calls));
    return ok({ closeToOthers: (ownConnection) => closeToOthers({ calls, name, accessList }, ownConnection) });
  });
}

interface OwnPipe {
  readonly calls: WindowsCalls;
  readonly name: string;
  /** What it is to have. */
  readonly accessList: string;
}

function closeToOthers({ calls, name, accessList }: OwnPipe, ownConnection: Promise<unknown>): Promise<Result<undefined>> {
  return orNotPrivate(async () => {
    const pipe = await openOwnPipe(calls, name);
    try {
      if (serverOf(calls, pipe) !== process.pid) return err(failure("pipe_in_use", { name }));
      setAccessList(calls, pipe, accessList);
      if (!hasAccessList(calls, pipe, accessList)) return notPrivate("the access list was not kept");
      // Node must have seen this connection, or it would pass for a program's later.
      await Promise.race([ownConnection, delay(ownConnectionMs, undefined, { ref: false })]);
      return ok();
    } finally {
      calls.closeHandle(pipe);
    }
  });
}

async function orNotPrivate<T>(work: () => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof WindowsCallError)) throw error;
    return notPrivate(error.message);
  }
}

function notPrivate(problem: string): Result<never> {
  return err(failure("pipe_not_private", { problem }));
}

/** Asks without connecting: a stranger could make use of a connection. */
function isNameTaken(calls: WindowsCalls, name: string): boolean {
  return calls.waitNamedPipe(name, shortestWaitMs) !== 0 || calls.getLastError() === windowsErrors.timeout;
}

async function openOwnPipe(calls: WindowsCalls, name: string, attempts = busyAttempts): Promise<NativeNumber> {
  try {
    return openForAccess(calls, name);
  } catch (error) {
    const isBusy = error instanceof WindowsCallError && error.errorNumber === windowsErrors.pipeBusy;
    if (!isBusy || attempts === 1) throw error;
  }
  await delay(busyDelayMs);
  return openOwnPipe(calls, name, attempts - 1);
}

function serverOf(calls: WindowsCalls, pipe: NativeNumber): number | undefined {
  const processId = new Uint32Array(1);
  succeed(calls, "GetNamedPipeServerProcessId", calls.getNamedPipeServerProcessId(pipe, processId));
  return processId[0];
}
