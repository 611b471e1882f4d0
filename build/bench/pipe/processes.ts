/** The broker and the baseline as processes of their own. Invariant: whatever is started here ends with the bench. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import type { Credentials } from "../../../clients/node/session-proof.ts";
import { type BrokerSettings, childMessage, type Memory, type ParentMessage, settingsVariable } from "./child-contract.ts";
import { keepOnCore } from "./cores.ts";
import { type PairedProgram, pairedProgram } from "./program.ts";

export interface BenchedBroker {
  readonly pipe: string;
  readonly programs: readonly PairedProgram[];
  readonly credentials: readonly Credentials[];
  /** Makes the user's token an ended one. */
  readonly expire: (user: string) => Promise<void>;
  /** After a collection of garbage. */
  readonly memory: () => Promise<Memory>;
  readonly close: () => Promise<void>;
}

/** Starts DMS Connect with its core in one process; gives it when its programs are paired. */
export async function startBroker(settings: BrokerSettings): Promise<BenchedBroker> {
  const { child, next } = start("broker-process.ts", settings, ["--expose-gc"]);
  const ask = async (message?: ParentMessage) => {
    if (message !== undefined) child.send(message);
    return childMessage.parse(await next());
  };
  const ready = await ask();
  if (ready.kind !== "ready") throw new Error("the broker's process said something else than ready");
  return {
    pipe: settings.pipe,
    credentials: ready.credentials,
    programs: ready.credentials.map(pairedProgram),
    expire: async (user) => void (await ask({ kind: "expire", user })),
    memory: async () => {
      const answer = await ask({ kind: "measure" });
      if (answer.kind !== "measured") throw new Error("the broker's process did not measure");
      return answer.memory;
    },
    close: async () => {
      const ended = once(child, "exit");
      child.send({ kind: "close" } satisfies ParentMessage);
      await ended;
    },
  };
}

export interface Baseline {
  readonly path: string;
  readonly close: () => Promise<void>;
}

export interface EchoSettings {
  readonly path: string;
  /** What a broker answers to `token.get`. */
  readonly answer: string;
  /** Without, even the JSON is left away. */
  readonly json: boolean;
  readonly program: Credentials;
}

/** Starts the bare server. */
export async function startEcho(settings: EchoSettings): Promise<Baseline> {
  const { child, next } = start("echo-process.ts", settings, []);
  z.literal("ready").parse(await next());
  const close = async () => {
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  };
  return { path: settings.path, close };
}

interface Started {
  readonly child: ChildProcess;
  /** The next message of the process. Rejects when it ends first. */
  readonly next: () => Promise<unknown>;
}

function start(file: string, settings: object, execArgv: readonly string[]): Started {
  // Not connected to any session bus, so that it finds no real credential store.
  const { DBUS_SESSION_BUS_ADDRESS: _bus, ...rest } = process.env;
  // electron-store asks the electron package where its binary is, which would start a download.
  const env = { ...rest, ELECTRON_OVERRIDE_DIST_PATH: "/nowhere", [settingsVariable]: JSON.stringify(settings) };
  const child = fork(join(import.meta.dirname, file), { env, execArgv: [...execArgv, ...extraNodeArguments()] });
  keepOnCore("servers", child.pid);
  const gone = once(child, "exit").then(() => new Error("a process of the bench ended by itself"));
  const nextMessage = () => new Promise<unknown>((resolve) => child.once("message", resolve));
  const next = async () => {
    const received = await Promise.race([nextMessage(), gone]);
    if (received instanceof Error) throw received;
    return received;
  };
  return { child, next };
}

/** For a look at the broker's profile, e.g. `--cpu-prof --cpu-prof-dir=FOLDER`. */
function extraNodeArguments(): readonly string[] {
  return (process.env["DMS_CONNECT_BENCH_NODE"] ?? "").split(" ").filter((argument) => argument !== "");
}
