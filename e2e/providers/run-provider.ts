/**
 * Runs one stand-in provider as a process: `node run-provider.ts mazda --config '{"clients":[…]}'`.
 * Invariant: it lives as long as its stdin is open, and writes nothing but control lines to stdout.
 */
import { Console } from "node:console";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { z } from "zod";
import { mazdaBehaviourSchema, mazdaOptionsSchema } from "./mazda-options.ts";
import { startMazdaServer } from "./mazda-server.ts";
import type { StandInProvider } from "./provider-contract.ts";
import { type ControlCommand, controlCommandSchema, type ProviderKind, providerKinds } from "./provider-control.ts";
import { webfleetBehaviourSchema, webfleetOptionsSchema } from "./webfleet-options.ts";
import { startWebfleetServer } from "./webfleet-server.ts";

/** The provider's clock, which `moveClock` moves on. */
let clockAheadMs = 0;
const now = (): number => Date.now() + clockAheadMs;

interface RunningProvider {
  readonly provider: StandInProvider<object>;
  /** @throws when the change is not valid for this provider */
  readonly setBehaviour: (change: unknown) => void;
}

const starters: Readonly<Record<ProviderKind, (config: unknown) => Promise<RunningProvider>>> = {
  mazda: async (config) => {
    const provider = await startMazdaServer(mazdaOptionsSchema.parse(config), now);
    return { provider, setBehaviour: (change) => Object.assign(provider.behaviour, mazdaBehaviourSchema.partial().parse(change)) };
  },
  webfleet: async (config) => {
    const provider = await startWebfleetServer(webfleetOptionsSchema.parse(config), now);
    return { provider, setBehaviour: (change) => Object.assign(provider.behaviour, webfleetBehaviourSchema.partial().parse(change)) };
  },
};

async function run(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { config: { type: "string" } } });
  const kind = z.enum(providerKinds).parse(positionals[0]);
  const config: unknown = JSON.parse(values.config ?? "{}");
  const running = await starters[kind](config);
  const { origin, certificatePem } = running.provider;
  writeLine({ ready: true, origin, ...(certificatePem === undefined ? {} : { certificatePem }) });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== "") writeLine(answerLine(running, line));
  }
  await running.provider.close();
}

function answerLine(running: RunningProvider, line: string): { readonly result: unknown } | { readonly error: string } {
  try {
    return { result: obey(running, controlCommandSchema.parse(JSON.parse(line))) ?? null };
  } catch (error) {
    return { error: error instanceof z.ZodError ? z.prettifyError(error) : "the command is not JSON" };
  }
}

function obey({ provider, setBehaviour }: RunningProvider, command: ControlCommand): unknown {
  switch (command.command) {
    case "expireAccessTokens":
      return provider.expireAccessTokens();
    case "revokeAll":
      return provider.revokeAll();
    case "counters":
      return provider.counters();
    case "moveClock":
      clockAheadMs += command.seconds * 1000;
      return undefined;
    case "cutHanging":
      return provider.tokenEndpoint.cutHanging();
    case "issuedSecrets":
      return provider.issuedSecrets();
    case "setBehaviour":
      return setBehaviour(command.behaviour);
    default:
      return command satisfies never;
  }
}

function writeLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// stdout belongs to the control protocol: whatever a library has to say goes to stderr.
globalThis.console = new Console(process.stderr);
await run();
