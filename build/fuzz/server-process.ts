/**
 * The process of a fuzzed server, seen from the fuzzer. Invariant: it may crash or hang at any moment; every wait for it has
 * a bound, and it ends with the fuzzer.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ChildMessage,
  type ChildSettings,
  type Condition,
  childMessage,
  type FuzzedPrograms,
  type ParentMessage,
  settingsVariable,
} from "./child-contract.ts";

/** Starting Node on a busy computer. */
const startBoundMs = 60_000;
/** A sound process ends at once when it is left. */
const endBoundMs = 1_000;
const longestErrors = 2_000;

export interface ServerProcess {
  /** Where it listens. */
  readonly address: string;
  /** Where it listens with TLS; empty if it does not. */
  readonly secureAddress: string;
  /** Whom a pipe server knows. */
  readonly programs: FuzzedPrograms | undefined;
  readonly hasEnded: () => boolean;
  /** Settles with why, when it ends by itself. */
  readonly ended: Promise<string>;
  /** Undefined when it does not answer in time. */
  readonly condition: (collect: boolean) => Promise<Condition | undefined>;
  /** The `state` of the sign-in that waits now, behind TLS or not; empty before there is one. */
  readonly state: (isSecure: boolean) => string;
  readonly kill: () => Promise<void>;
}

/** Starts `file`. Throws when it cannot be started. */
export async function startServerProcess(file: string, settings: ChildSettings, boundMs: number): Promise<ServerProcess> {
  const child = fork(file, { env: environment(settings), execArgv: ["--expose-gc"], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const ended = endOf(child);
  const messages = messagesOf(child);
  const ready = await Promise.race([messages.next("ready"), ended, delay(startBoundMs, undefined, { ref: false })]);
  if (typeof ready !== "object") {
    child.kill("SIGKILL");
    throw new Error(`the server's process did not start: ${ready ?? "no answer"}`);
  }
  return {
    address: ready.address,
    secureAddress: ready.secureAddress ?? "",
    programs: ready.programs,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ended,
    condition: async (collect) => {
      if (!child.connected) return undefined;
      const answer = messages.next("condition");
      child.send({ kind: "look", collect } satisfies ParentMessage, () => undefined);
      const condition = await Promise.race([answer, ended, delay(boundMs, undefined, { ref: false })]);
      return typeof condition === "object" ? condition : undefined;
    },
    state: messages.state,
    kill: async () => {
      // By itself, so that what Node writes at the end is written, e.g. NODE_V8_COVERAGE; one that hangs does not hear of it.
      child.send({ kind: "end" } satisfies ParentMessage, () => undefined);
      const timer = setTimeout(() => child.kill("SIGKILL"), endBoundMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function environment(settings: ChildSettings): NodeJS.ProcessEnv {
  // Not connected to any session bus, so that it finds no real credential store.
  const { DBUS_SESSION_BUS_ADDRESS: _bus, ...rest } = process.env;
  // electron-store asks the electron package where its binary is, which would start a download.
  return { ...rest, ELECTRON_OVERRIDE_DIST_PATH: "/nowhere", [settingsVariable]: JSON.stringify(settings) };
}

type Received<K extends ChildMessage["kind"]> = Extract<ChildMessage, { kind: K }>;

function messagesOf(child: ChildProcess) {
  const states = new Map<boolean, string>();
  const waiting = new Map<string, (message: ChildMessage) => void>();
  child.on("message", (raw) => {
    const message = childMessage.parse(raw);
    if (message.kind === "state") states.set(message.isSecure, message.state);
    else waiting.get(message.kind)?.(message);
  });
  const next = <K extends ChildMessage["kind"]>(kind: K): Promise<Received<K>> =>
    // Each is delivered under its own kind.
    new Promise((resolve) => waiting.set(kind, resolve as (message: ChildMessage) => void));
  return { next, state: (isSecure: boolean) => states.get(isSecure) ?? "" };
}

async function endOf(child: ChildProcess): Promise<string> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-longestErrors);
  });
  await once(child, "close");
  return `ended with ${child.signalCode ?? child.exitCode}: ${errors.trim()}`;
}
