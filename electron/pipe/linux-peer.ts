/**
 * Linux: the other end of a Unix socket (socket(7), unix(7)).
 *
 * Invariant: a path belongs to the very process that connected. Process numbers are used again; a pidfd
 * (SO_PEERPIDFD, Linux 6.5) names that process until the end, so it is asked before and after. An older kernel gives no
 * path: none is better than another program's.
 */
import { closeSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { NativeLibrary } from "./native-library.ts";
import type { DescriptorReader } from "./peer-reader.ts";

/** asm-generic/socket.h. MIPS, SPARC, POWER and PA-RISC number them otherwise. */
const socketOptions = { solSocket: 1, soPeerCredentials: 17, soPeerPidfd: 77 } as const;
const genericArchitectures: readonly string[] = ["x64", "ia32", "arm", "arm64", "loong64", "riscv64"];

/** What the kernel appends to the path of a file that is gone (proc_pid_exe(5)). */
const deletedMark = " (deleted)";

type GetSocketOption = (descriptor: number, level: number, name: number, value: NodeJS.TypedArray, length: Uint32Array) => number;

/** @returns undefined on processors whose numbers for the options are not known here */
export function createLinuxPeerReader(library: NativeLibrary): DescriptorReader | undefined {
  if (!genericArchitectures.includes(process.arch)) return undefined;
  const getSocketOption: GetSocketOption = library.func("getsockopt", "int", ["int", "int", "int", "void *", "void *"]);
  const length = new Uint32Array(1);
  const read = (descriptor: number, name: number, value: NodeJS.TypedArray): boolean => {
    length[0] = value.byteLength;
    return getSocketOption(descriptor, socketOptions.solSocket, name, value, length) === 0 && length[0] === value.byteLength;
  };
  // struct ucred: process, user and group id. Used again for each call: they are synchronous, and this runs once a connection.
  const credentials = new Uint32Array(3);
  const processDescriptor = new Int32Array(1);
  return {
    userId: (descriptor) => (read(descriptor, socketOptions.soPeerCredentials, credentials) ? credentials[1] : undefined),
    programPath: (descriptor) => {
      if (!read(descriptor, socketOptions.soPeerPidfd, processDescriptor)) return undefined;
      const [pidfd] = processDescriptor;
      return pidfd === undefined ? undefined : fileOfPidfd(pidfd);
    },
  };
}

/** @param pidfd closed afterwards */
function fileOfPidfd(pidfd: number): string | undefined {
  try {
    const processId = processIdOf(pidfd);
    if (processId === undefined) return undefined;
    const file = fileOfProcess(processId);
    // Still the same process, so its number could not have been another's meanwhile.
    return processIdOf(pidfd) === processId ? file : undefined;
  } catch {
    // It is gone, or does not let itself be looked at (ptrace(2), PR_SET_DUMPABLE).
    return undefined;
  } finally {
    closeSync(pidfd);
  }
}

/** `Pid:` is -1 once the process is gone, and 0 where it cannot be seen from here (pidfd_open(2)). */
function processIdOf(pidfd: number): number | undefined {
  const processId = Number(/^Pid:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, "utf8"))?.[1]);
  return processId > 0 ? processId : undefined;
}

/**
 * The file a process runs. Of a file that was deleted or replaced (an update of a running program), where it lay; undefined
 * if another file lies there.
 *
 * Throws what the file system throws.
 */
export function fileOfProcess(processId: number): string | undefined {
  const link = `/proc/${processId}/exe`;
  const file = readlinkSync(link, "utf8");
  if (isSameFile(link, file)) return file;
  // Else the name is one of another mount namespace, where any file can lie under any name.
  return file.endsWith(deletedMark) ? file.slice(0, -deletedMark.length) : undefined;
}

/** Whether the file is really called that. */
function isSameFile(link: string, file: string): boolean {
  const [running, named] = [statSync(link), statSync(file, { throwIfNoEntry: false })];
  return running.ino === named?.ino && running.dev === named.dev;
}
