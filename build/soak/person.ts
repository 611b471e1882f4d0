/**
 * The person at the desktop: clicks Connect where the app asks for it, and approves on the provider's page, with a plain HTTP
 * client for a browser. Invariant: at most one sign-in a connection at a time, and each as the user whose page it is.
 */
import { setTimeout as delay } from "node:timers/promises";
import { answerConsent } from "../../e2e/providers/consent-client.ts";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import type { Random } from "../crash/random.ts";
import type { PageMessage } from "./app-process.ts";
import type { ParentMessage } from "./child-contract.ts";
import type { Who } from "./ledger.ts";

export interface PersonParts {
  readonly random: Random;
  readonly send: (message: ParentMessage) => void;
  readonly isOver: () => boolean;
  /** A provider's page did not do what it should. */
  readonly onProblem: (text: string) => void;
}

/** People do not look at once. */
const longestReactionMs = 800;
/** Far above what opening a page takes; the app may be gone. */
const pageLimitMs = 10_000;
/** Whoever has just signed in waits a moment for what comes of it. */
const afterwardsMs = 200;
const mostAtOnce = 16;

export class Person {
  readonly #parts: PersonParts;
  readonly #busyWith = new Map<string, Promise<void>>();
  readonly #pages = new Map<string, (page: PageMessage | undefined) => void>();
  readonly #waiting: (() => void)[] = [];
  #atOnce = 0;

  constructor(parts: PersonParts) {
    this.#parts = parts;
  }

  /** Signs in, unless that is under way. */
  asked(who: Who): void {
    const id = idOf(who);
    if (this.#busyWith.has(id) || this.#parts.isOver()) return;
    this.#busyWith.set(
      id,
      this.#signIn(who).finally(() => this.#busyWith.delete(id)),
    );
  }

  /** The app has opened a page, or refused to. */
  pageOpened(page: PageMessage): void {
    this.#pages.get(idOf(page))?.(page);
  }

  /** No page will come. */
  appEnded(): void {
    for (const settle of this.#pages.values()) settle(undefined);
  }

  /** Settles when nothing is under way. */
  async rest(): Promise<void> {
    await Promise.all(this.#busyWith.values());
  }

  async #signIn(who: Who): Promise<void> {
    await this.#turn();
    try {
      await delay(this.#parts.random.between(0, longestReactionMs));
      const page = this.#parts.isOver() ? undefined : await this.#openPage(who);
      if (page?.kind === "page") await this.#approve(page.url, who.user);
      await delay(afterwardsMs);
    } finally {
      this.#atOnce -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#atOnce >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#atOnce += 1;
  }

  async #openPage(who: Who): Promise<PageMessage | undefined> {
    const id = idOf(who);
    const opened = Promise.withResolvers<PageMessage | undefined>();
    this.#pages.set(id, opened.resolve);
    const limit = setTimeout(() => opened.resolve(undefined), pageLimitMs);
    this.#parts.send({ kind: "connect", ...who });
    try {
      return await opened.promise;
    } finally {
      clearTimeout(limit);
      this.#pages.delete(id);
    }
  }

  async #approve(url: string, user: string): Promise<void> {
    let callback: URL;
    try {
      callback = await answerConsent(url, { decision: "approve", userId: user });
    } catch (error) {
      return this.#parts.onProblem(`a sign-in page failed: ${String(error)}`);
    }
    try {
      await requestLoopback(callback);
    } catch {
      // The app has ended, and the callback's port with it.
    }
  }
}

function idOf({ provider, user }: Who): string {
  return `${provider} ${user}`;
}
