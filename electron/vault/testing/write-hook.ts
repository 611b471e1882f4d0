/**
 * Lets a test look on, or fail, at each write of a file. Use it by
 * `vi.mock(import("./atomic-file.ts"), async (original) => (await import("./testing/write-hook.ts")).hooked(await original()))`.
 */
type AtomicFile = typeof import("../atomic-file.ts");

/** Called before and after each write; what it throws is the write's error. */
export const writeHook: { onWrite: (() => void) | undefined } = { onWrite: undefined };

export function hooked(actual: AtomicFile): AtomicFile {
  return {
    ...actual,
    writeFileAtomically: (path, content) => {
      writeHook.onWrite?.();
      actual.writeFileAtomically(path, content);
      writeHook.onWrite?.();
    },
  };
}
