/**
 * A program on a socket, as lean as Node lets it be, so that a bench measures the other side.
 *
 * Invariant: the same client is used for the echo, for DMS Connect and for oidc-agent.
 */
import { connect, type Socket } from "node:net";

const lineFeed = 0x0a;

export class LineClient {
  readonly socket: Socket;
  /** Bytes of a line that has not ended yet. */
  #unfinished: Buffer[] = [];
  #onLine: (line: Buffer) => void = () => undefined;
  #onEnd: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onEnd());
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** Connects; what is sent before the connection stands waits for it. */
  static open(path: string): LineClient {
    return new LineClient(connect(path));
  }

  /** Calls `listener` for each line from now on, without its line feed. */
  onLine(listener: (line: Buffer) => void): void {
    this.#onLine = listener;
  }

  /** Sends `text` and gives the next line. Rejects if the connection ends first. */
  async ask(text: string): Promise<Buffer> {
    const [line] = await this.askFor(1, text);
    if (line === undefined) throw new Error("no line");
    return line;
  }

  /** Sends `text` and gives the next `count` lines. Rejects if the connection ends first. */
  askFor(count: number, text: string): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      const lines: Buffer[] = [];
      this.#onEnd = () => reject(new Error("the connection ended"));
      this.#onLine = (line) => {
        if (lines.push(line) === count) resolve(lines);
      };
      this.socket.write(text);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const tail = chunk.subarray(start, end);
      const line = this.#unfinished.length === 0 ? tail : Buffer.concat([...this.#unfinished, tail]);
      this.#unfinished = [];
      start = end + 1;
      this.#onLine(line);
    }
    if (start < chunk.length) this.#unfinished.push(chunk.subarray(start));
  }
}
