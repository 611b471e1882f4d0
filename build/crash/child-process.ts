/** The broker's process as its parent sees it. Invariant: `ended` settles after the last step report has been delivered. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import {
  type ChildSettings,
  childMessage,
  type ParentMessage,
  type StartReport,
  type StepReport,
  settingsVariable,
  stepReport,
  stepsDescriptor,
  type WorkDone,
} from "./child-messages.ts";

export interface ChildEnd {
  readonly isKilled: boolean;
  readonly exitCode: number | null;
  /** The end of what it wrote to its error output. */
  readonly errors: string;
}

export interface BrokerProcess {
  /** Undefined when it ended before it was ready. */
  readonly ready: Promise<StartReport | undefined>;
  readonly ended: Promise<ChildEnd>;
  readonly isOver: () => boolean;
  readonly kill: () => void;
  readonly send: (message: ParentMessage) => void;
}

export interface BrokerListeners {
  readonly onStep: (report: StepReport) => void;
  /** Work that was sent has been done, or has failed. */
  readonly onDone: (done: WorkDone) => void;
}

const longestErrors = 4_000;

/** Starts the bundle `file`. It is not connected to any session bus, so that it finds no real credential store. */
export function startBroker(file: string, settings: ChildSettings, listeners: BrokerListeners): BrokerProcess {
  const child = fork(file, { env: environmentFor(settings), execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc", "pipe"] });
  let isOver = false;
  const ready = Promise.withResolvers<StartReport | undefined>();
  child.on("message", (message) => {
    const parsed = childMessage.parse(message);
    if (parsed.kind === "ready") ready.resolve(parsed.report);
    if (parsed.kind === "done") listeners.onDone(parsed);
  });
  followSteps(child, listeners.onStep);
  const errors = lastErrors(child);
  child.once("exit", () => {
    isOver = true;
    ready.resolve(undefined);
  });
  return {
    ready: ready.promise,
    ended: ended(child, errors),
    isOver: () => isOver,
    kill: () => void child.kill("SIGKILL"),
    // It may be gone at any moment; a message that does not arrive is never waited for alone.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
  };
}

function environmentFor(settings: ChildSettings): NodeJS.ProcessEnv {
  const { DBUS_SESSION_BUS_ADDRESS: _bus, XDG_RUNTIME_DIR: _runtime, DISPLAY: _display, ...rest } = process.env;
  return { ...rest, [settingsVariable]: JSON.stringify(settings) };
}

function followSteps(child: ChildProcess, onStep: (report: StepReport) => void): void {
  const stream = child.stdio[stepsDescriptor] as Readable; // "pipe" above
  // The last line may be cut off by the kill.
  createInterface({ input: stream }).on("line", (line) => {
    if (line.endsWith("}")) onStep(stepReport.parse(JSON.parse(line)));
  });
}

function lastErrors(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-longestErrors);
  });
  return () => text;
}

/** "close" comes after the streams' ends, so everything the process has written is there by then. */
async function ended(child: ChildProcess, errors: () => string): Promise<ChildEnd> {
  await once(child, "close");
  return { isKilled: child.signalCode === "SIGKILL", exitCode: child.exitCode, errors: errors() };
}
