/**
 * The functions of Windows that the pipe needs, by their own names and with their own parameters.
 *
 * Invariant: nothing is decided here. A function that returns a BOOL returns 0 when it failed; `succeed` turns that into
 * an error.
 */
import { type NativeLibrary, openNativeLibrary } from "./native-library.ts";

/** A HANDLE, or the address of memory that Windows has allocated. Small ones are numbers. */
export type NativeNumber = number | bigint;

/** https://learn.microsoft.com/windows/win32/debug/system-error-codes */
export const windowsErrors = { accessDenied: 5, timeout: 121, pipeBusy: 231 } as const;
/** What `createFile` returns when it failed. */
export const invalidHandle = -1;
/** OPEN_EXISTING, for `createFile`. */
export const openExisting = 3;

/** Parameters that are written to are arrays of one; `null` stands for what is not wanted. */
export interface WindowsCalls {
  readonly waitNamedPipe: (name: string, timeoutMs: number) => number;
  readonly createFile: (
    name: string,
    access: number,
    sharing: number,
    attributes: null,
    disposition: number,
    flags: number,
    template: number,
  ) => NativeNumber;
  readonly closeHandle: (handle: NativeNumber) => number;
  readonly getNamedPipeServerProcessId: (pipe: NativeNumber, processId: Uint32Array) => number;
  readonly processIdToSessionId: (processId: number, sessionId: Uint32Array) => number;
  readonly localFree: (address: NativeNumber) => NativeNumber;
  /** koffi keeps it from one call to the next, whatever Node does in between. */
  readonly getLastError: () => number;
  readonly openProcessToken: (process: number, access: number, token: BigUint64Array) => number;
  readonly getTokenInformation: (token: NativeNumber, kind: number, value: Buffer, bytes: number, needed: Uint32Array) => number;
  readonly convertSidToStringSid: (sid: NativeNumber, text: BigUint64Array) => number;
  readonly convertStringToSid: (text: string, sid: BigUint64Array) => number;
  /** Whether the token of this thread or process has the SID. */
  readonly checkTokenMembership: (token: number, sid: NativeNumber, isMember: Uint32Array) => number;
  readonly convertStringToDescriptor: (sddl: string, revision: number, descriptor: BigUint64Array, bytes: null) => number;
  readonly convertDescriptorToString: (
    descriptor: NativeNumber | Buffer,
    revision: number,
    parts: number,
    sddl: BigUint64Array,
    length: null,
  ) => number;
  readonly setKernelObjectSecurity: (handle: NativeNumber, parts: number, descriptor: NativeNumber) => number;
  readonly getKernelObjectSecurity: (handle: NativeNumber, parts: number, descriptor: Buffer, bytes: number, needed: Uint32Array) => number;
  /** The address that a block of memory begins with. */
  readonly addressIn: (memory: Buffer) => NativeNumber;
  /** The zero-terminated UTF-16 text at an address. */
  readonly textAt: (address: NativeNumber) => string;
}

/** @returns undefined where the libraries, or one of the functions, cannot be reached */
export async function loadWindowsCalls(): Promise<WindowsCalls | undefined> {
  const [kernel32, advapi32] = await Promise.all([openNativeLibrary("kernel32.dll"), openNativeLibrary("advapi32.dll")]);
  if (kernel32 === undefined || advapi32 === undefined) return undefined;
  const { decode } = await import("koffi");
  try {
    return {
      ...kernelCalls(kernel32),
      ...securityCalls(advapi32),
      addressIn: (memory) => decode(memory, "void *") as NativeNumber, // what koffi gives for a pointer
      textAt: (address) => decode.string16(address),
    };
  } catch {
    return undefined;
  }
}

const [handle, number, pointer, text] = ["intptr_t", "uint32", "void *", "str16"];

function kernelCalls(kernel32: NativeLibrary) {
  return {
    waitNamedPipe: kernel32.func("WaitNamedPipeW", "int", [text, number]),
    createFile: kernel32.func("CreateFileW", handle, [text, number, number, pointer, number, number, handle]),
    closeHandle: kernel32.func("CloseHandle", "int", [handle]),
    getNamedPipeServerProcessId: kernel32.func("GetNamedPipeServerProcessId", "int", [handle, pointer]),
    processIdToSessionId: kernel32.func("ProcessIdToSessionId", "int", [number, pointer]),
    localFree: kernel32.func("LocalFree", handle, [pointer]),
    getLastError: kernel32.func("GetLastError", number, []),
  } satisfies Partial<WindowsCalls>;
}

function securityCalls(advapi32: NativeLibrary) {
  return {
    openProcessToken: advapi32.func("OpenProcessToken", "int", [handle, number, pointer]),
    getTokenInformation: advapi32.func("GetTokenInformation", "int", [handle, "int", pointer, number, pointer]),
    checkTokenMembership: advapi32.func("CheckTokenMembership", "int", [handle, pointer, pointer]),
    convertSidToStringSid: advapi32.func("ConvertSidToStringSidW", "int", [pointer, pointer]),
    convertStringToSid: advapi32.func("ConvertStringSidToSidW", "int", [text, pointer]),
    convertStringToDescriptor: advapi32.func("ConvertStringSecurityDescriptorToSecurityDescriptorW", "int", [
      text,
      number,
      pointer,
      pointer,
    ]),
    convertDescriptorToString: advapi32.func("ConvertSecurityDescriptorToStringSecurityDescriptorW", "int", [
      pointer,
      number,
      number,
      pointer,
      pointer,
    ]),
    setKernelObjectSecurity: advapi32.func("SetKernelObjectSecurity", "int", [handle, number, pointer]),
    getKernelObjectSecurity: advapi32.func("GetKernelObjectSecurity", "int", [handle, number, pointer, number, pointer]),
  } satisfies Partial<WindowsCalls>;
}

/** Which function failed, and Windows' number for why. */
export class WindowsCallError extends Error {
  readonly errorNumber: number;

  constructor(functionName: string, errorNumber: number) {
    super(`${functionName} failed with error ${errorNumber}`);
    this.errorNumber = errorNumber;
  }
}

/** Throws a `WindowsCallError` if the call that was just made has failed. */
export function succeed({ getLastError }: WindowsCalls, functionName: string, outcome: number | boolean): void {
  if (outcome === 0 || outcome === false) throw new WindowsCallError(functionName, getLastError());
}

/** The text a call allocates, which is freed. `write` makes the call with the place for the text's address. */
export function allocatedText(calls: WindowsCalls, functionName: string, write: (address: BigUint64Array) => number): string {
  const place = new BigUint64Array(1);
  succeed(calls, functionName, write(place));
  const [address = 0n] = place;
  try {
    return calls.textAt(address);
  } finally {
    calls.localFree(address);
  }
}
