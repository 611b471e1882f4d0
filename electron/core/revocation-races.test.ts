/** Whatever races with a Revoke: it ends revoked or forgotten, with the newest refresh token, and nothing is served after the click. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { Result } from "../../shared/result.ts";
import { settled } from "./testing/fake-clock.ts";
import type { HeldCalls } from "./testing/held.ts";
import { minuteMs, webfleetKey } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";

const steps = [
  "revoke",
  "forget",
  "ask",
  "expire",
  "connect",
  "deliver",
  "answer-exchange",
  "rotate",
  "reject",
  "lose",
  "refuse-revocation",
  "confirm-revocation",
  "hold-commits",
  "hold-deletes",
  "release",
] as const;
type Step = (typeof steps)[number];

const away = failure("provider_unreachable", { provider: "Webfleet" });

/** One connection, and what its provider knows of it. */
class Race {
  readonly world: World;
  /** The refresh token that the broker got last and has kept; none once the provider has said that it is dead. */
  newest: string | undefined = "refresh-old";
  /** Came for a sign-in that had ended: given back, if at all. */
  readonly late = new Set<string>();
  isRevokeAsked = false;
  isForgetAsked = false;
  readonly faults: string[] = [];
  readonly #names = new Set<string>();
  readonly #ended: Promise<Result<unknown>>[] = [];
  readonly #answered = new Map<HeldCalls<never, never>, number>();
  #release: (() => void)[] = [];
  #revocationsSeen = 0;

  constructor(world: World) {
    this.world = world;
  }

  async step(step: Step): Promise<void> {
    await this.#do(step);
    await settled();
    const { revocations } = this.world.oauth;
    for (; this.#revocationsSeen < revocations.count; this.#revocationsSeen += 1) {
      const sent = revocations.all[this.#revocationsSeen]?.input.refreshToken;
      const isGivenBack = this.late.has(sent ?? "");
      if (!isGivenBack && sent !== this.newest) this.faults.push(`${sent} was revoked where ${this.newest} is the newest`);
    }
    if (this.isRevokeAsked) this.#ask();
    await settled();
  }

  /** Everybody answers, and time goes on. */
  async finish(): Promise<void> {
    for (let round = 0; round < 10; round += 1) {
      for (const step of ["release", "deliver", "answer-exchange", "rotate", "confirm-revocation"] as const) await this.step(step);
      await this.world.clock.advance(6 * minuteMs);
    }
    await Promise.all(this.#ended);
  }

  #do(step: Step): Promise<void> | void {
    const { world } = this;
    const { oauth, callback } = world;
    switch (step) {
      case "revoke":
        this.isRevokeAsked = true;
        return void this.#ended.push(world.revocation.revoke(webfleetKey));
      case "forget":
        this.isForgetAsked = true;
        return void this.#ended.push(world.revocation.forget(webfleetKey));
      case "ask":
        return this.#ask();
      case "expire":
        return world.clock.advance(61 * minuteMs);
      case "connect":
        // Afterwards it would be another connection, and rightly so.
        return this.isForgetAsked || world.vault.stored(webfleetKey) === undefined ? undefined : this.#connect();
      case "deliver":
        return callback.ports.at(-1)?.deliver();
      case "answer-exchange":
        return this.#next(oauth.exchanges, ({ answer }) => {
          const name = this.#newName();
          // A sign-in that was ended before brings nothing that is kept.
          if (this.isRevokeAsked || this.isForgetAsked) this.late.add(`refresh-${name}`);
          else this.newest = `refresh-${name}`;
          answer({ ok: true, value: world.newGrant(name) });
        });
      case "rotate":
        return this.#next(oauth.refreshes, ({ input, answer }) => {
          const name = this.#newName();
          if (input.grant.refreshToken === this.newest) this.newest = `refresh-${name}`;
          answer({ kind: "rotated", grant: world.newGrant(name) });
        });
      case "reject":
        return this.#next(oauth.refreshes, ({ input, answer }) => {
          if (input.grant.refreshToken === this.newest) this.newest = undefined;
          answer({ kind: "rejected", failure: failure("grant_dead", { provider: "Webfleet" }) });
        });
      case "lose":
        return this.#next(oauth.refreshes, ({ answer }) => answer({ kind: "ambiguous", failure: away }));
      case "refuse-revocation":
        return this.#next(oauth.revocations, ({ answer }) => answer({ kind: "try-later", failure: away }));
      case "confirm-revocation":
        return this.#next(oauth.revocations, ({ answer }) => answer({ kind: "done" }));
      case "hold-commits":
        return void this.#release.push(world.vault.hold("commitConnection"));
      case "hold-deletes":
        return void this.#release.push(world.vault.hold("deleteConnection"));
      case "release":
        for (const release of this.#release.splice(0).toReversed()) release();
    }
  }

  #ask(): void {
    void this.world.token(webfleetKey).then((served) => {
      if (this.isRevokeAsked && served.startsWith("access-")) this.faults.push(`${served} was served after the click`);
    });
  }

  #connect(): void {
    const isLate = this.isRevokeAsked;
    void this.world.connectFlow.start(webfleetKey, undefined).then((started) => {
      if (started.ok && isLate) this.faults.push("a sign-in began after the click");
    });
  }

  #next<Call>(calls: { readonly all: readonly Call[] }, answer: (call: Call) => void): void {
    // One map for calls of every kind: only their number matters.
    const key = calls as unknown as HeldCalls<never, never>;
    const answered = this.#answered.get(key) ?? 0;
    const call = calls.all[answered];
    if (call === undefined) return;
    this.#answered.set(key, answered + 1);
    answer(call);
  }

  #newName(): string {
    const name = `new-${this.#names.size + 1}`;
    this.#names.add(name);
    return name;
  }
}

async function race(before: readonly Step[], after: readonly Step[]): Promise<Race> {
  const world = await createWorld();
  world.storeActive(webfleetKey);
  await world.token(webfleetKey);
  const raced = new Race(world);
  for (const step of before) await raced.step(step);
  await raced.step("revoke");
  for (const step of after) await raced.step(step);
  await raced.finish();
  return raced;
}

const anySteps = (from: readonly Step[]) => fc.array(fc.constantFrom(...from), { maxLength: 12 });

describe("a Revoke that races with anything", () => {
  it("ends revoked or forgotten, with the newest refresh token, and nothing is served after the click", async () => {
    // A Forget before it leaves nothing to revoke.
    const before = anySteps(steps.filter((step) => step !== "revoke" && step !== "forget"));
    await fc.assert(
      fc.asyncProperty(before, anySteps(steps), async (first, then) => {
        const { world, faults, newest, late, isForgetAsked } = await race(first, then);
        expect(faults).toEqual([]);
        expect([world.vault.stored(webfleetKey), valueOf(await world.connections.list())]).toEqual([undefined, []]);
        expect(world.callback.ports.filter(({ isOpen }) => isOpen)).toEqual([]);
        const told = world.oauth.revocations.all.map(({ input }) => input.refreshToken).findLast((token) => !late.has(token));
        // A Forget beside it may come first: then nobody can be told any more.
        expect(isForgetAsked ? newest : told).toBe(newest);
      }),
      { numRuns: 600 },
    );
  });
});
