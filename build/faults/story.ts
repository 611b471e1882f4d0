/**
 * One person's and one program's life with the broker, on a disk that may fail: what they do, what they were told, and
 * what has been acknowledged to them. Invariant: something counts as acknowledged only when its call was answered with `ok`.
 */
import { type BrokerClient, type Credentials, connectToBroker } from "../../clients/node/dms-connect-client.ts";
import type { ConnectionKey } from "../../electron/core/connection-state.ts";
import type { WindowBroker } from "../../electron/ipc/handlers.ts";
import { err, type Result } from "../../shared/result.ts";
import type { RegistrationInput } from "../../shared/views.ts";
import type { ToldFailure } from "./answer.ts";
import type { RotatingProvider } from "./rotating-provider.ts";
import { type StoryApp, type StoryProfile, startStoryApp } from "./story-app.ts";

export const key: ConnectionKey = { provider: "webfleet", environment: "production", user: "joe" };
export const clientSecret = "s3cret:+%ä word";
export const registration: RegistrationInput = {
  provider: key.provider,
  environment: key.environment,
  clientId: "macs7",
  clientSecret,
  redirectUris: ["http://127.0.0.1/webfleet/callback"],
  organisations: [],
};

/** A program must get its answer long before this; only a hang takes longer. */
const answerTimeoutMs = 15_000;

export interface Acknowledged {
  registration: boolean;
  /** Of the paired program. */
  credentials: Credentials | undefined;
  connected: boolean;
  settings: boolean;
  revoked: boolean;
}

export class Story {
  readonly provider: RotatingProvider;
  readonly profile: StoryProfile;
  readonly acknowledged: Acknowledged = {
    registration: false,
    credentials: undefined,
    connected: false,
    settings: false,
    revoked: false,
  };
  /** The revocation was asked for: from here on the connection may have ended without an acknowledgement. */
  revokeTried = false;
  /** Names the token the program was given last. */
  tokenId: string | undefined;
  /** What the broker has shown or served although it must not. */
  readonly broken: string[] = [];
  #app: StoryApp | undefined;
  #session: BrokerClient | undefined;

  constructor(provider: RotatingProvider, profile: StoryProfile) {
    this.provider = provider;
    this.profile = profile;
  }

  get app(): StoryApp {
    if (this.#app === undefined) throw new Error("the story has not started the app");
    return this.#app;
  }

  /** The app as the window sees it: the broker, or why there is none. */
  broker(): Result<WindowBroker> {
    return this.app.application.broker();
  }

  /** As a person does: an app whose vault is locked is asked to try again, any other one is started anew. */
  async open(): Promise<Result<WindowBroker>> {
    const locked = this.#app !== undefined && !this.broker().ok;
    if (!locked) return this.restart();
    await this.app.application.vault.tryAgain();
    return this.broker();
  }

  /** Starts the app; one that runs is closed first. */
  async restart(): Promise<Result<WindowBroker>> {
    await this.close();
    this.#app = await startStoryApp(this.profile, this.provider.definition);
    return this.broker();
  }

  async close(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
    const app = this.#app;
    this.#app = undefined;
    await app?.close();
  }

  /** The paired program's session; one that was ended is opened again. */
  async session(): Promise<Result<BrokerClient, ToldFailure>> {
    const broker = this.broker();
    // Without a vault there is no pipe: the window says why.
    if (!broker.ok) return broker;
    if (this.#session !== undefined) return { ok: true, value: this.#session };
    const { credentials } = this.acknowledged;
    const opened = await connectToBroker({
      pipe: this.profile.pipe,
      timeoutMs: answerTimeoutMs,
      ...(credentials === undefined ? {} : { credentials }),
    });
    if (!opened.ok) return err(opened.error);
    if (credentials === undefined) return opened;
    this.#session = opened.value;
    void opened.value.closed.then(() => {
      if (this.#session === opened.value) this.#session = undefined;
    });
    return opened;
  }
}
