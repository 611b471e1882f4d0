/**
 * A log file with a size cap: `name`, then `name.1`, `name.2` … for older ones.
 *
 * Invariants: readable by its owner only; never larger together than `maxBytes` times `files`; a disk that refuses costs
 * log lines, never the app.
 */
import { chmodSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface RotatingFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** How many files are kept, the current one included. */
  readonly files: number;
}

export interface RotatingFile {
  readonly write: (line: string) => void;
  readonly close: () => void;
}

interface OpenFile {
  readonly descriptor: number;
  size: number;
}

/** Opens the file for appending; makes its folder if needed. Never throws. */
export function openRotatingFile(options: RotatingFileOptions): RotatingFile {
  let current = openForAppending(options.path);
  let closed = false;
  return {
    write: (line) => {
      if (closed) return;
      const bytes = Buffer.from(line);
      if (current !== undefined && current.size > 0 && current.size + bytes.length > options.maxBytes) {
        close(current);
        rotate(options);
        current = openForAppending(options.path);
      }
      current ??= openForAppending(options.path);
      if (current !== undefined) append(current, bytes);
    },
    close: () => {
      closed = true;
      if (current !== undefined) close(current);
      current = undefined;
    },
  };
}

function openForAppending(path: string): OpenFile | undefined {
  return quietly(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, "a", 0o600);
    chmodSync(path, 0o600);
    return { descriptor, size: fstatSync(descriptor).size };
  });
}

function append(file: OpenFile, bytes: Buffer): void {
  quietly(() => {
    file.size += writeSync(file.descriptor, bytes);
  });
}

function close(file: OpenFile): void {
  quietly(() => closeSync(file.descriptor));
}

/** Shifts every file by one; the oldest is overwritten. */
function rotate({ path, files }: RotatingFileOptions): void {
  const nameOf = (age: number) => (age === 0 ? path : `${path}.${age}`);
  for (let age = files - 2; age >= 0; age -= 1) {
    if (existsSync(nameOf(age))) quietly(() => renameSync(nameOf(age), nameOf(age + 1)));
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
