/**
 * macOS: the other end of a Unix socket (getpeereid(3), sys/un.h, libproc.h).
 *
 * Invariant: a path belongs to the process that the kernel's audit token names, which is the one that has used the
 * connection last. The token holds a version of the process number, so that a number used again does not fit it (macOS 11).
 */
import type { NativeLibrary } from "./native-library.ts";
import type { DescriptorReader } from "./peer-reader.ts";

/** sys/un.h */
const socketOptions = { solLocal: 0, localPeerToken: 6 } as const;
/** `audit_token_t`: eight 32-bit numbers (mach/message.h). */
const auditTokenBytes = 32;
/** `PROC_PIDPATHINFO_MAXSIZE` (libproc.h): shorter buffers are allowed, longer ones are refused. */
const maxPathBytes = 4_096;

type GetPeerUser = (descriptor: number, userId: Uint32Array, groupId: Uint32Array) => number;
type GetSocketOption = (descriptor: number, level: number, name: number, value: Uint8Array, length: Uint32Array) => number;
type GetPathOfToken = (auditToken: Uint8Array, path: Uint8Array, pathBytes: number) => number;

/** Throws if the system lacks one of the functions. */
export function createMacosPeerReader(library: NativeLibrary): DescriptorReader {
  const getPeerUser: GetPeerUser = library.func("getpeereid", "int", ["int", "void *", "void *"]);
  const getSocketOption: GetSocketOption = library.func("getsockopt", "int", ["int", "int", "int", "void *", "void *"]);
  const getPathOfToken: GetPathOfToken = library.func("proc_pidpath_audittoken", "int", ["void *", "void *", "uint32_t"]);
  const [userId, groupId] = [new Uint32Array(1), new Uint32Array(1)];
  return {
    userId: (descriptor) => (getPeerUser(descriptor, userId, groupId) === 0 ? userId[0] : undefined),
    programPath: (descriptor) => {
      const token = Buffer.alloc(auditTokenBytes);
      const length = new Uint32Array([auditTokenBytes]);
      const { solLocal, localPeerToken } = socketOptions;
      if (getSocketOption(descriptor, solLocal, localPeerToken, token, length) !== 0 || length[0] !== auditTokenBytes) return undefined;
      const path = Buffer.alloc(maxPathBytes);
      const pathLength = getPathOfToken(token, path, maxPathBytes);
      return pathLength > 0 ? path.toString("utf8", 0, pathLength) : undefined;
    },
  };
}
