/**
 * Who may open a Windows pipe: reading and replacing the access list of one that exists, by its name.
 *
 * The list belongs to the pipe's name, not to one end of it: the instances that Node creates later have it too
 * (https://learn.microsoft.com/windows/win32/ipc/named-pipe-security-and-access-rights; Wine does the same).
 */
import {
  allocatedText,
  invalidHandle,
  type NativeNumber,
  openExisting,
  succeed,
  WindowsCallError,
  type WindowsCalls,
} from "./windows-calls.ts";

const readControlAndWriteDac = 0x20000 | 0x40000;
/** SECURITY_SQOS_PRESENT and SECURITY_IDENTIFICATION: whoever serves the name cannot act as this user. */
const identificationOnly = 0x100000 | 0x10000;
const daclSecurityInformation = 4;
const sddlRevision = 1;
/** A list of a few entries takes about a hundred bytes. Reading a longer one fails, and it would not be the wanted one. */
const descriptorBytes = 4_096;

/**
 * The list of the broker's pipe, in the Security Descriptor Definition Language: NETWORK (who has logged on from another
 * computer) is denied first; SYSTEM and the user have full access, which Node needs to create further instances.
 */
export function privateAccessList(sid: string): string {
  return `D:P(D;;FA;;;NU)(A;;FA;;;SY)(A;;FA;;;${sid})`;
}

/**
 * Connects to a pipe, in order to see and change who may. Nothing can be read from this end. To be closed with
 * `closeHandle`. Throws a `WindowsCallError`, with `pipeBusy` while all ends are taken.
 */
export function openForAccess(calls: WindowsCalls, name: string): NativeNumber {
  const handle = calls.createFile(name, readControlAndWriteDac, 0, null, openExisting, identificationOnly, 0);
  if (handle === invalidHandle) throw new WindowsCallError("CreateFile", calls.getLastError());
  return handle;
}

/** Throws a `WindowsCallError`. */
export function setAccessList(calls: WindowsCalls, pipe: NativeNumber, sddl: string): void {
  withDescriptor(calls, sddl, (descriptor) =>
    succeed(calls, "SetKernelObjectSecurity", calls.setKernelObjectSecurity(pipe, daclSecurityInformation, descriptor)),
  );
}

/** The list of an open pipe, as Windows writes it. Throws a `WindowsCallError`. */
export function accessListOf(calls: WindowsCalls, pipe: NativeNumber): string {
  const descriptor = Buffer.alloc(descriptorBytes);
  const read = calls.getKernelObjectSecurity(pipe, daclSecurityInformation, descriptor, descriptorBytes, new Uint32Array(1));
  succeed(calls, "GetKernelObjectSecurity", read);
  return describe(calls, descriptor);
}

/**
 * Whether an open pipe has exactly the entries of `sddl`, in their order. The flags before them say how a list is inherited;
 * a pipe inherits nothing, and systems may differ in which of them they keep.
 */
export function hasAccessList(calls: WindowsCalls, pipe: NativeNumber, sddl: string): boolean {
  const entries = (list: string): string | undefined => /^D:[A-Z]*(\(.*\))$/.exec(list)?.[1];
  // Well-known SIDs have names of two letters where Windows writes them: both must have been written by it.
  const wanted = entries(withDescriptor(calls, sddl, (descriptor) => describe(calls, descriptor)));
  return wanted !== undefined && entries(accessListOf(calls, pipe)) === wanted;
}

function describe(calls: WindowsCalls, descriptor: NativeNumber | Buffer): string {
  return allocatedText(calls, "ConvertSecurityDescriptorToStringSecurityDescriptor", (text) =>
    calls.convertDescriptorToString(descriptor, sddlRevision, daclSecurityInformation, text, null),
  );
}

function withDescriptor<T>(calls: WindowsCalls, sddl: string, work: (descriptor: bigint) => T): T {
  const place = new BigUint64Array(1);
  const made = calls.convertStringToDescriptor(sddl, sddlRevision, place, null);
  succeed(calls, "ConvertStringSecurityDescriptorToSecurityDescriptor", made);
  const [descriptor = 0n] = place;
  try {
    return work(descriptor);
  } finally {
    calls.localFree(descriptor);
  }
}
