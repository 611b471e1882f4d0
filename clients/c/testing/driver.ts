/** Talks to `driver.c`, the DMS program of the tests. Invariant: one command at a time, and each is answered or the driver has ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** Everything that can be asked of a session after a command. */
export interface Report {
  readonly result: number;
  readonly code: string;
  readonly detail: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: number;
  readonly retryAfter: number;
  readonly accessToken: string;
  readonly tokenType: string;
  readonly tokenId: string;
  readonly headers: string;
  readonly expiresAt: number;
  readonly expiresIn: number;
  readonly answer: string;
  readonly value: string;
  readonly pairingCode: string;
  readonly pairingSeconds: number;
  readonly clientId: string;
  readonly clientKey: string;
  readonly pipeName: string;
}

export interface DriverStart {
  readonly command: readonly [file: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user; only root may. */
  readonly userId?: number;
}

export class Driver {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #stdin: NodeJS.WritableStream;
  readonly #ended: Promise<number | null>;
  #stderr = "";

  /** `env` is all the environment there is, but for what a process needs to start. */
  constructor({ command: [file, ...args], env = {}, userId }: DriverStart) {
    const { PATH, SystemRoot } = process.env;
    const child = spawn(file, args, {
      env: { PATH, SystemRoot, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(userId === undefined ? {} : { uid: userId, gid: userId }),
    });
    child.stderr.on("data", (data: Buffer) => {
      this.#stderr += data.toString();
    });
    // A driver that has ended shows in the answer that does not come.
    child.stdin.on("error", () => undefined);
    this.#child = child;
    this.#stdin = child.stdin;
    this.#lines = createInterface({ input: child.stdout });
    this.#ended = once(child, "close").then(([code]: unknown[]) => (typeof code === "number" ? code : null));
  }

  /** Runs one command of driver.c. Rejects, with what the driver wrote to standard error, if it ends instead of answering. */
  async ask(...words: readonly (string | Buffer)[]): Promise<Report> {
    const answered: Promise<unknown[]> = once(this.#lines, "line");
    const parts = words.flatMap((word, index) => (index === 0 ? [Buffer.from(word)] : [Buffer.from("\t"), Buffer.from(word)]));
    this.#stdin.write(Buffer.concat([...parts, Buffer.from("\n")]));
    const ended = this.#ended.then((code): never => {
      throw new Error(`the driver ended with ${code}: ${this.#stderr}`);
    });
    const [line] = await Promise.race([answered, ended]);
    // driver.c prints exactly these fields.
    return JSON.parse(String(line)) as Report;
  }

  /** Ends its input and waits. Rejects if it does not end well, as it does when a sanitizer has found something. */
  async end(): Promise<void> {
    this.#stdin.end();
    const code = await this.#ended;
    if (code !== 0) throw new Error(`the driver ended with ${code}: ${this.#stderr}`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
