/** One run of the app, seen from outside. Invariant: `ended` settles once the process is gone and all it said was heard. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { assertNever } from "../../shared/result.ts";
import { type ChildMessage, type ChildSettings, childMessage, type ParentMessage, settingsVariable } from "./child-contract.ts";

export type PageMessage = Extract<ChildMessage, { readonly kind: "page" | "refused" }>;

export interface AppListeners {
  readonly onPage: (page: PageMessage) => void;
  readonly onBug: (text: string) => void;
}

export interface AppEnd {
  readonly isKilled: boolean;
  readonly exitCode: number | null;
  /** The end of what it wrote to its error output. */
  readonly errors: string;
}

export interface AppProcess {
  readonly life: number;
  /** With why it cannot serve programs, if so; `ended` when it ended before it could say. */
  readonly ready: Promise<string | undefined>;
  readonly ended: Promise<AppEnd>;
  readonly send: (message: ParentMessage) => void;
  readonly kill: () => void;
}

const longestErrors = 4_000;

/**
 * @param file of `bundleChild`
 * @param certificateFile PEM of the token endpoints; the app trusts it as a computer trusts its company's root
 */
export function startApp(file: string, settings: ChildSettings, certificateFile: string, listeners: AppListeners): AppProcess {
  const child = fork(file, {
    env: environmentFor(settings, certificateFile),
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const ready = Promise.withResolvers<string | undefined>();
  child.on("message", (message) => hear(childMessage.parse(message), ready.resolve, listeners));
  const errors = lastErrors(child);
  const ended = endOf(child, errors);
  void ended.then(() => ready.resolve("ended"));
  return {
    life: settings.life,
    ready: ready.promise,
    ended,
    // It may be gone at any moment.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    kill: () => void child.kill("SIGKILL"),
  };
}

function hear(message: ChildMessage, ready: (failure: string | undefined) => void, { onPage, onBug }: AppListeners): void {
  switch (message.kind) {
    case "ready":
      return ready(message.failure);
    case "page":
    case "refused":
      return onPage(message);
    case "bug":
      return onBug(message.text);
    default:
      return assertNever(message);
  }
}

function environmentFor(settings: ChildSettings, certificateFile: string): NodeJS.ProcessEnv {
  // Not connected to any session bus, so that it finds no real credential store.
  const { DBUS_SESSION_BUS_ADDRESS: _bus, XDG_RUNTIME_DIR: _runtime, DISPLAY: _display, ...rest } = process.env;
  return {
    ...rest,
    // electron-store asks the electron package where its binary is, which would start a download.
    ELECTRON_OVERRIDE_DIST_PATH: "/nowhere",
    NODE_EXTRA_CA_CERTS: certificateFile,
    [settingsVariable]: JSON.stringify(settings),
  };
}

function lastErrors(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-longestErrors);
  });
  return () => text;
}

/** "close" comes after the ends of all streams. */
async function endOf(child: ChildProcess, errors: () => string): Promise<AppEnd> {
  await once(child, "close");
  return { isKilled: child.signalCode === "SIGKILL", exitCode: child.exitCode, errors: errors().trim() };
}
