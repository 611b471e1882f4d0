/**
 * Starts a stand-in provider in a process of its own, for hosts and demos that must not share one. Invariant: the process ends
 * with `stop`, and by itself when its parent is gone, since its stdin closes then.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { MazdaOptions } from "./mazda-options.ts";
import { answerLineSchema, type ControlCommand, type ProviderKind, readyLineSchema } from "./provider-control.ts";
import type { WebfleetOptions } from "./webfleet-options.ts";

export interface ProviderConfigs {
  readonly mazda: MazdaOptions;
  readonly webfleet: WebfleetOptions;
}

export interface ProviderProcess {
  readonly origin: string;
  readonly certificatePem?: string;
  /**
   * Sends a control command.
   *
   * @param name for example `counters`
   * @param parameters further fields of the command
   * @returns its result; null for commands that only do something
   * @throws when the provider refuses the command or has ended
   */
  readonly command: (name: ControlCommand["command"], parameters?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** Closes the provider and waits for its process to end. May be called twice. */
  readonly stop: () => Promise<void>;
}

type ProviderChild = ChildProcessByStdio<Writable, Readable, null>;
type LineReader = () => Promise<string>;

/**
 * Starts a provider. Needs a Node that runs TypeScript files, which is the one that runs this.
 *
 * @param kind which provider
 * @param config its options; they are visible in the process list, so nothing real belongs there
 * @throws when it ends before it is ready, for example because its port is taken; its stderr says why
 */
export async function spawnProvider<Kind extends ProviderKind>(kind: Kind, config: ProviderConfigs[Kind]): Promise<ProviderProcess> {
  const program = fileURLToPath(new URL("run-provider.ts", import.meta.url));
  const child = spawn(process.execPath, [program, kind, "--config", JSON.stringify(config)], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  // A write to a process that has just ended fails here; the reader reports it to whoever waits for an answer.
  child.stdin.on("error", () => undefined);
  const readLine = lineReader(child);
  const { origin, certificatePem } = readyLineSchema.parse(JSON.parse(await readLine()));
  return {
    origin,
    ...(certificatePem === undefined ? {} : { certificatePem }),
    command: (name, parameters = {}) => sendCommand(child, readLine, { ...parameters, command: name }),
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

async function sendCommand(child: ProviderChild, readLine: LineReader, command: Readonly<Record<string, unknown>>): Promise<unknown> {
  // Answers come in order, so the next free line is this command's; it is claimed before anything is awaited.
  const line = readLine();
  child.stdin.write(`${JSON.stringify(command)}\n`);
  const answer = answerLineSchema.parse(JSON.parse(await line));
  if ("error" in answer) throw new Error(answer.error);
  return answer.result;
}

function lineReader(child: ProviderChild): LineReader {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const next = await lines.next();
    if (next.done === true) throw new Error("the provider's process has ended");
    return next.value;
  };
}
