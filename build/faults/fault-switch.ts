/**
 * The switch of the failing disk, seen from inside the process that works on it: orders go through a small file that
 * disk-faults.c has mapped. Invariant: the order of its words is the one in disk-faults.c; the file lies outside the watched folder, so that
 * the switch itself never fails.
 */
import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { constants } from "node:os";

/** What a system call on a file does; the place in the list is the number in disk-faults.c. `entry`: unlink, mkdir, chmod. */
export const operations = ["open", "write", "sync", "rename", "entry"] as const;
export type Operation = (typeof operations)[number];

export const faultErrors = ["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE"] as const;
export type FaultError = (typeof faultErrors)[number];

export interface Fault {
  /** Calls of these kinds are counted together. */
  readonly operations: readonly Operation[];
  /** 1: the next one fails. */
  readonly nth: number;
  readonly error: FaultError;
  /** Whether every later one fails, too, until the fault ends. */
  readonly sticky: boolean;
}

export type OperationCounts = Readonly<Record<Operation, number>>;

const magic = 0x44464c54;
const wordBytes = 4;
/** magic, armed, operations, remaining, error, sticky, hits, then one counter for each operation. */
const words = { armed: 1, operations: 2, hits: 6, seen: 7 } as const;
const wordCount = words.seen + operations.length;

/** Makes the file of a switch that is off. Call it before the process starts that loads the layer. */
export function createFaultOrders(path: string): void {
  const bytes = Buffer.alloc(wordCount * wordBytes);
  bytes.writeUInt32LE(magic, 0);
  writeFileSync(path, bytes);
}

export class FaultSwitch {
  readonly #descriptor: number;

  /** `path`: as given to the layer. */
  constructor(path: string) {
    this.#descriptor = openSync(path, "r+");
  }

  /** Begins a fault; `hits` counts from 0 again. */
  arm(fault: Fault): void {
    this.disarm();
    const bits = fault.operations.reduce((mask, operation) => mask | (1 << operations.indexOf(operation)), 0);
    this.#write(words.operations, [bits, fault.nth, constants.errno[fault.error], fault.sticky ? 1 : 0, 0]);
    // Last: the layer looks at the rest only when it is armed.
    this.#write(words.armed, [1]);
  }

  /** Ends the fault. */
  disarm(): void {
    this.#write(words.armed, [0]);
  }

  /** How many calls have failed since `arm`. */
  hits(): number {
    return this.#read(words.hits);
  }

  /** How many calls of each kind the process has made on the watched folder so far, failed ones included. */
  seen(): OperationCounts {
    const count = (operation: Operation) => this.#read(words.seen + operations.indexOf(operation));
    return { open: count("open"), write: count("write"), sync: count("sync"), rename: count("rename"), entry: count("entry") };
  }

  close(): void {
    this.disarm();
    closeSync(this.#descriptor);
  }

  #write(word: number, values: readonly number[]): void {
    const bytes = Buffer.alloc(values.length * wordBytes);
    values.forEach((value, index) => bytes.writeUInt32LE(value, index * wordBytes));
    writeSync(this.#descriptor, bytes, 0, bytes.length, word * wordBytes);
  }

  #read(word: number): number {
    const bytes = Buffer.alloc(wordBytes);
    readSync(this.#descriptor, bytes, 0, wordBytes, word * wordBytes);
    return bytes.readUInt32LE();
  }
}
