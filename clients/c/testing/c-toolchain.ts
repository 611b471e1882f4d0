/** Compiles the C client for tests. Invariant: what does not compile without a warning is an error that shows the compiler's own words. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The folder of the library's sources. */
export const cFolder = path.resolve(import.meta.dirname, "..");

const onWindows = process.platform === "win32";
const strictFlags = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"];
const sanitizerFlags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/** The C compiler of this machine; undefined if there is none. */
export function findCompiler(): string | undefined {
  return ["cc", "gcc", "clang"].find(isProgram);
}

/** Whether `name` can be started. */
export function isProgram(name: string): boolean {
  return spawnSync(name, ["--version"], { stdio: "ignore", timeout: 30_000 }).status === 0;
}

export interface Compilation {
  readonly compiler: string;
  /** Paths below the library's folder. */
  readonly sources: readonly string[];
  readonly output: string;
  readonly flags?: readonly string[];
  /** Whether the result is for Windows; as this machine if absent. */
  readonly forWindows?: boolean;
}

/**
 * Compiles and links one program or library.
 *
 * @throws with the compiler's messages, if there are any
 */
export function compile({ compiler, sources, output, flags = [], forWindows = onWindows }: Compilation): void {
  const libraries = forWindows ? ["-ladvapi32", "-lbcrypt"] : ["-pthread"];
  run(compiler, [...strictFlags, ...flags, "-o", output, ...sources.map((source) => path.join(cFolder, source)), ...libraries]);
}

/** Runs `make` in the library's folder; what it makes goes to `outFolder`. */
export function make(target: string, outFolder: string): void {
  run("make", ["-j2", "-C", cFolder, "--no-print-directory", `OUT=${outFolder}`, target]);
}

/** The flags that make a program end when it touches memory or computes in a way it must not; none where the compiler has no such thing. */
export function availableSanitizers(compiler: string): readonly string[] {
  if (onWindows) return [];
  const folder = mkdtempSync(path.join(tmpdir(), "dms-c-"));
  try {
    const [source, program] = [path.join(folder, "empty.c"), path.join(folder, "empty")];
    writeFileSync(source, "int main(void) { return 0; }\n");
    const built = spawnSync(compiler, [...sanitizerFlags, "-o", program, source], { stdio: "ignore" }).status === 0;
    return built && spawnSync(program, { stdio: "ignore" }).status === 0 ? sanitizerFlags : [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A program's file name on this machine. */
export function programName(name: string): string {
  return onWindows ? `${name}.exe` : name;
}

function run(program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} failed: ${stdout}${stderr}`);
}
