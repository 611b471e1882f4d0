/**
 * Functions of the operating system that Node does not offer, called through koffi.
 *
 * Invariant: koffi is loaded when a library is first opened and not before, so that importing the pipe costs nothing.
 * Where it cannot be loaded the caller is told, and decides what that means.
 */
import type { LibraryHandle } from "koffi";

export type NativeLibrary = Pick<LibraryHandle, "func">;

/**
 * Opens a library of the system.
 *
 * @param file its name; null for what the process has loaded anyway, the C library above all
 * @returns undefined where koffi has no binary for this computer, or there is no such library
 */
export async function openNativeLibrary(file: string | null): Promise<NativeLibrary | undefined> {
  try {
    const { load } = await import("koffi");
    return load(file);
  } catch {
    return undefined;
  }
}
