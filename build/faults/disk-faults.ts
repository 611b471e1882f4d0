/** Builds the layer that makes a disk fail. Invariant: where it cannot be built, the answer says why, so that no run looks as if it had tried. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { err, ok, type Result } from "../../shared/result.ts";

const compilerTimeoutMs = 60_000;

/**
 * Compiles disk-faults.c into `folder`.
 *
 * @returns the library's path, or what is missing here
 */
export function compileDiskFaults(folder: string): Result<string, string> {
  if (process.platform !== "linux") return err(`the disk can be made to fail on Linux only, and this is ${process.platform}`);
  const library = join(folder, "disk-faults.so");
  const compiled = spawnSync(
    "cc",
    [
      "-std=gnu11",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-O1",
      "-shared",
      "-fPIC",
      "-o",
      library,
      join(import.meta.dirname, "disk-faults.c"),
      "-ldl",
    ],
    { encoding: "utf8", timeout: compilerTimeoutMs },
  );
  if (compiled.error !== undefined) return err("there is no C compiler (cc)");
  return compiled.status === 0 ? ok(library) : err(`the C compiler (cc) cannot compile the layer: ${compiled.stderr.trim()}`);
}
