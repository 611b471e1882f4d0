/**
 * The app through its many runs, on one profile. Invariant: at most one run at a time; one that ends by itself is a fault, and
 * is followed by another.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type AppEnd, type AppProcess, type PageMessage, startApp } from "./app-process.ts";
import type { OfferedProvider, ParentMessage, Sabotage } from "./child-contract.ts";

export interface AppHostParts {
  /** From `bundleChild`. */
  readonly file: string;
  readonly profileFolder: string;
  readonly pipe: string;
  readonly certificateFile: string;
  readonly providers: readonly OfferedProvider[];
  readonly sabotages: readonly Sabotage[];
  readonly onPage: (page: PageMessage) => void;
  /** From now on this run of the app need not keep what it gets. */
  readonly onEnding: (life: number) => void;
  readonly onEnded: () => void;
  readonly onBug: (text: string) => void;
  readonly onNote: (text: string) => void;
}

/** Far above what a start takes, on a computer that has other things to do. */
const startLimitMs = 60_000;
/** Three seconds are promised; what takes this long hangs. */
const quitLimitMs = 15_000;

export class AppHost {
  readonly #parts: AppHostParts;
  readonly #safeStorageKey = randomBytes(32).toString("hex");
  #life = 0;
  #app: AppProcess | undefined;

  constructor(parts: AppHostParts) {
    this.#parts = parts;
  }

  /** Settles when programs can connect. */
  async start(): Promise<void> {
    const { file, profileFolder, pipe, providers, sabotages, certificateFile, onPage, onBug } = this.#parts;
    this.#life += 1;
    const settings = { profileFolder, pipe, safeStorageKey: this.#safeStorageKey, life: this.#life, providers: [...providers] };
    const app = startApp(file, { ...settings, sabotages: [...sabotages] }, certificateFile, { onPage, onBug });
    this.#app = app;
    void app.ended.then((end) => this.#ended(app, end));
    const late = delay(startLimitMs, "late", { ref: false });
    const failure = await Promise.race([app.ready, late]);
    if (failure !== undefined) onBug(`the app cannot serve programs: ${failure}`);
  }

  send(message: ParentMessage): void {
    this.#app?.send(message);
  }

  /** As a person does from the tray, or as an update does. Returns how long it took, in milliseconds. */
  async quit(reason: "quit" | "restart"): Promise<number> {
    const app = this.#take();
    if (app === undefined) return 0;
    const startedMs = performance.now();
    app.send({ kind: "close", reason });
    const limit = setTimeout(() => {
      this.#parts.onBug("the app did not quit");
      app.kill();
    }, quitLimitMs);
    const end = await app.ended;
    clearTimeout(limit);
    if (end.exitCode !== 0 && !end.isKilled) this.#parts.onBug(`the app quit with ${shown(end)}`);
    return performance.now() - startedMs;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    const app = this.#take();
    app?.kill();
    await app?.ended;
  }

  /** For the end of this process. */
  killNow(): void {
    this.#take()?.kill();
  }

  #take(): AppProcess | undefined {
    const app = this.#app;
    this.#app = undefined;
    if (app !== undefined) this.#parts.onEnding(app.life);
    return app;
  }

  #ended(app: AppProcess, end: AppEnd): void {
    this.#parts.onEnded();
    if (this.#app !== app) return;
    this.#take();
    this.#parts.onBug(`the app ended by itself with ${shown(end)}`);
    this.start().catch((error: unknown) => this.#parts.onNote(`the app could not be started again: ${String(error)}`));
  }
}

function shown({ exitCode, errors }: AppEnd): string {
  return `${exitCode ?? "a signal"}: ${errors}`;
}
