/**
 * One run of the client program, and everything it said.
 *
 * Invariant: no run outlives its scenario: what is started here is ended, its own children included.
 */
import { type ChildProcess, spawn } from "node:child_process";

export interface ProgramEnd {
  /** Null if it had to be ended, or could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly trouble?: "too-long" | "not-started";
}

export interface ProgramRun {
  /** Writes a line to the program's standard input. */
  readonly say: (line: string) => void;
  readonly endInput: () => void;
  /** The first line on standard output, not yet taken, that `wanted` accepts; undefined if the program ends first. */
  readonly line: (wanted: (line: string) => boolean) => Promise<string | undefined>;
  /** Settles when standard output or standard error hold `pattern`, or the program ends. */
  readonly shows: (pattern: RegExp) => Promise<string | undefined>;
  readonly ended: Promise<ProgramEnd>;
  /** Ends the program, if it still runs. */
  readonly stop: () => void;
}

export interface ProgramStart {
  readonly words: readonly [file: string, ...args: string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

const running = new Set<ChildProcess>();

/** Ends every run that goes on; for the case that the kit itself is interrupted. */
export function endAllRuns(): void {
  for (const child of running) kill(child);
}

/** Starts the program. It is ended after `limitMs`. */
export function startProgram({ words: [file, ...args], env, limitMs }: ProgramStart): ProgramRun {
  // A group of its own on Unix: what the program starts itself (a wrapper script does) is ended with it.
  const child = spawn(file, args, { env: { ...process.env, ...env }, windowsHide: true, detached: process.platform !== "win32" });
  running.add(child);
  const output = new ProgramOutput();
  child.stdout.on("data", (data: Buffer) => output.add("stdout", data));
  child.stderr.on("data", (data: Buffer) => output.add("stderr", data));
  // A program that ends without reading its input is no failure of ours.
  child.stdin.on("error", () => undefined);
  let trouble: ProgramEnd["trouble"];
  const timer = setTimeout(() => {
    trouble = "too-long";
    kill(child);
  }, limitMs);
  const ended = new Promise<ProgramEnd>((resolve) => {
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      kill(child);
      running.delete(child);
      output.end();
      resolve({ code, stdout: output.text("stdout"), stderr: output.text("stderr"), ...(trouble && { trouble }) });
    };
    child.once("error", () => {
      trouble = "not-started";
      finish(null);
    });
    child.once("close", finish);
  });
  return {
    say: (line) => void child.stdin.write(`${line}\n`),
    endInput: () => void child.stdin.end(),
    line: output.line,
    shows: output.shows,
    ended,
    stop: () => kill(child),
  };
}

/** Ends the program and what it has started. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** What a program has printed, and who waits for more of it. */
class ProgramOutput {
  readonly #data = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #waiting = new Set<() => void>();
  readonly #taken = new Set<number>();
  #ended = false;

  add(stream: "stdout" | "stderr", data: Buffer): void {
    this.#data[stream].push(data);
    this.#changed();
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  text(stream: "stdout" | "stderr"): string {
    return Buffer.concat(this.#data[stream]).toString("utf8");
  }

  readonly line = (wanted: (line: string) => boolean): Promise<string | undefined> =>
    this.#wait(() => {
      const lines = this.text("stdout").split(/\r?\n/).slice(0, -1);
      const index = lines.findIndex((line, position) => !this.#taken.has(position) && wanted(line));
      if (index < 0) return undefined;
      this.#taken.add(index);
      return lines[index];
    });

  readonly shows = (pattern: RegExp): Promise<string | undefined> =>
    this.#wait(() => pattern.exec(`${this.text("stdout")}\n${this.text("stderr")}`)?.[0]);

  #wait(find: () => string | undefined): Promise<string | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !this.#ended) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}
