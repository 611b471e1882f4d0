import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, minuteMs } from "./testing/records.ts";
import { createWorld, valueOf, type World } from "./testing/world.ts";
import { tokenIdOf } from "./token-id.ts";

const unavailable = failure("provider_unreachable", { provider: "Mazda" });

/** A connection whose access token was issued a minute ago and lasts. */
async function connected(): Promise<World> {
  const world = await createWorld();
  world.storeActive(mazdaKey);
  await world.clock.advance(minuteMs);
  return world;
}

/** Tells the broker that the API refused the token with this id. */
async function rejected(world: World, tokenId: string): Promise<string> {
  const answer = await world.broker.tokenRejected(mazdaKey, tokenId, 60);
  return answer.ok ? answer.value.grant.accessToken : answer.error.code;
}

async function currentTokenId(world: World): Promise<string> {
  return tokenIdOf(valueOf(await world.broker.getToken(mazdaKey, 0)).grant);
}

describe("a token the API refused", () => {
  it("is refreshed once for all programs that report it, and never served again", async () => {
    const world = await connected();
    const tokenId = await currentTokenId(world);
    const reports = [1, 2, 3].map(() => rejected(world, tokenId));
    await settled();
    const meanwhile = world.token(mazdaKey);
    await settled();
    expect(world.oauth.refreshes.count).toBe(1);
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(await Promise.all([...reports, meanwhile])).toEqual(["access-new", "access-new", "access-new", "access-new"]);
  });

  it("is told from the one that replaced it within the same millisecond", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    const before = valueOf(await world.broker.getToken(mazdaKey, 0)).grant;
    const report = rejected(world, tokenIdOf(before));
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: { ...world.newGrant(), obtainedAtMs: before.obtainedAtMs } });
    expect(await report).toBe("access-new");
    expect(await currentTokenId(world)).not.toBe(tokenIdOf(before));
  });

  it("is answered with the current token when it was replaced already", async () => {
    const world = await connected();
    expect([await rejected(world, "t-stale"), world.oauth.refreshes.count]).toEqual(["access-old", 0]);
  });

  it("is not served when the provider cannot be asked, even though it would last", async () => {
    const world = await connected();
    const report = rejected(world, await currentTokenId(world));
    await settled();
    world.oauth.refreshes.last.answer({ kind: "not-sent", failure: unavailable });
    expect([await report, await world.token(mazdaKey)]).toEqual(["provider_unreachable", "provider_unreachable"]);
  });

  it("does not refresh again within a minute when the new token is refused too", async () => {
    const world = await connected();
    const report = rejected(world, await currentTokenId(world));
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    await report;
    await world.clock.advance(20_000);
    const again = await world.broker.tokenRejected(mazdaKey, await currentTokenId(world), 60);
    expect(again).toMatchObject({ ok: false, error: { code: "token_rejected_again", retryAfterSeconds: 40 } });
    await world.clock.advance(40_000);
    void rejected(world, await currentTokenId(world));
    await settled();
    expect(world.oauth.refreshes.count).toBe(2);
  });
});

describe("the id of a token", () => {
  it("contains nothing of the token", async () => {
    const world = await connected();
    const id = await currentTokenId(world);
    expect("access-old refresh-old").not.toContain(id);
    expect(id).toMatch(/^t[0-9a-z]+$/);
  });
});

it("is not_connected when nobody connected this user", async () => {
  const world = await createWorld();
  expect(await rejected(world, "t1")).toBe("not_connected");
});
