/** What a run of `show-pipe-access.ts` has to say. Invariant: a claim that could not be tried is never `shown`. */
import { createServer } from "node:net";
import { invalidHandle, openExisting, type WindowsCalls, windowsErrors } from "../windows-calls.ts";

export interface Claim {
  readonly claim: string;
  /** Returns what was seen. Throws `NotShown` if it could not be tried here, anything else if it is wrong. */
  readonly show: () => Promise<string>;
}

/** The claim cannot be tried on this computer. */
export class NotShown extends Error {}

/** Throws if what was seen is not what was claimed. */
export function expectThat(isSo: boolean, seen: string): void {
  if (!isSo) throw new Error(seen);
}

/** GENERIC_READ, GENERIC_WRITE, FILE_READ_ATTRIBUTES, WRITE_DAC (winnt.h): whatever somebody may want of a pipe. */
export const pipeRights = { read: 0x80000000, write: 0x40000000, readAttributes: 0x80, changeAccess: 0x40000 } as const;

/** Opens a pipe with these rights and closes it again. Gives 0, or Windows' number for why it may not. */
export function openingError(calls: WindowsCalls, name: string, rights: number): number {
  const handle = calls.createFile(name, rights, 0, null, openExisting, 0, 0);
  if (handle === invalidHandle) return calls.getLastError();
  calls.closeHandle(handle);
  return 0;
}

/** Throws unless each of the rights is refused because of the access list, and nothing else. */
export function expectRefused(calls: WindowsCalls, name: string, rights: readonly number[] = Object.values(pipeRights)): void {
  const errors = rights.map((right) => openingError(calls, name, right));
  expectThat(
    errors.every((error) => error === windowsErrors.accessDenied),
    `opening it gave ${errors.join(", ")} and not 5 (access denied)`,
  );
}

/** A name that is used once. */
export function freshPipeName(purpose: string): string {
  return `\\\\.\\pipe\\dms-connect-show-${purpose}-${process.pid}-${Math.random().toString(16).slice(2)}`;
}

/** A pipe as Node makes it, whose access list is Windows' own: shows that it is ours that makes the difference. */
export async function plainPipe(): Promise<{ readonly name: string; readonly close: () => void }> {
  const name = freshPipeName("plain");
  const server = createServer((socket) => socket.resume().on("error", () => undefined));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(name, resolve));
  return { name, close: () => server.close() };
}

/** Ends of a pipe that were closed are replaced in the next turns of the event loop. */
export function turnsOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
