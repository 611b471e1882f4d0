/**
 * Who is at the other end of a Unix socket, by the kernel's word.
 *
 * Invariant: what cannot be read is undefined, never a guess.
 */
import type { Socket } from "node:net";
import { createLinuxPeerReader } from "./linux-peer.ts";
import { createMacosPeerReader } from "./macos-peer.ts";
import { openNativeLibrary } from "./native-library.ts";
import { presentableProgramPath } from "./program-path.ts";

/** One platform's calls, on the descriptor of a connected socket. */
export interface DescriptorReader {
  /** Effective user id of the process that connected, at that moment. */
  readonly userId: (descriptor: number) => number | undefined;
  /** The file that process is running now. */
  readonly programPath: (descriptor: number) => string | undefined;
}

export interface PeerReader {
  readonly userId: (socket: Socket) => number | undefined;
  /** For people to see, and to refuse a program by. It proves nothing: a program of the same user can run any file it likes. */
  readonly programPath: (socket: Socket) => string | undefined;
}

/** The reader of this platform; undefined where there are no such calls, or they cannot be reached. */
export async function loadPeerReader(): Promise<PeerReader | undefined> {
  const create = { linux: createLinuxPeerReader, darwin: createMacosPeerReader }[process.platform as string]; // others: none
  const library = create && (await openNativeLibrary(null));
  const reader = library && withoutThrowing(() => create?.(library));
  if (reader === undefined) return undefined;
  const read = <T>(socket: Socket, take: (descriptor: number) => T | undefined): T | undefined => {
    const descriptor = descriptorOf(socket);
    return descriptor === undefined ? undefined : take(descriptor);
  };
  return {
    userId: (socket) => read(socket, reader.userId),
    programPath: (socket) => {
      const path = read(socket, reader.programPath);
      return path === undefined ? undefined : presentableProgramPath(path);
    },
  };
}

/** A function that the system's library lacks throws when it is looked up. */
function withoutThrowing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Node has no public name for it. If it ever goes, every peer is unreadable, and with that refused: it will be noticed. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
