/**
 * Several users at a Mazda whose answers go wrong in one way, while programs cause one renewal after the other. What is at
 * stake each time: that nobody gets another user's token, and that no refresh token is used twice.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type TokenResponseOverride, tokenResponses } from "../../e2e/providers/token-response-override.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import { provider as mazda } from "../oauth/providers/mazda.ts";
import { connectQuietly, currentToken, type Desk, expectState, openDesk, patience, useApi } from "./desk.ts";
import { type PlayedMazda, people, playMazda } from "./stand-ins.ts";

/** A question for a token that has less than half of this left renews it. */
const shortLifeSeconds = 2;
/** Long enough that nothing is renewed by itself while the test lasts. */
const lifeSeconds = 300;
const wantedRefreshes = 12;
const users = people(6);
/** Between two questions of a program that was answered from memory. */
const pauseMs = 30;

interface Setting extends PlayedMazda {
  readonly desk: Desk;
  readonly keys: readonly ConnectionKey[];
}

async function setUp(accessTokenLifetimeSeconds: number): Promise<Setting> {
  const played = await playMazda({ users, behaviour: { accessTokenLifetimeSeconds } });
  const desk = await openDesk(mazda, played.registration);
  const keys = users.map(({ id }) => played.key(id));
  for (const key of keys) await connectQuietly(desk, key);
  return { ...played, desk, keys };
}

/** Every user's program asks again and again, until there were renewals enough. Gives what must not have happened. */
async function askAllTheTime({ desk, keys, server, callApi }: Setting): Promise<readonly string[]> {
  const wrong: string[] = [];
  const deadlineMs = Date.now() + patience.timeout;
  const ask = async (key: ConnectionKey): Promise<void> => {
    let last = "";
    while (server.counters().refreshes < wantedRefreshes && Date.now() < deadlineMs) {
      const token = await desk.program().tokenGet(key);
      if (!token.ok && token.error.code === "reconnect_required") return;
      const tokenId = token.ok ? token.value.tokenId : last;
      if (tokenId === last) await delay(pauseMs);
      last = tokenId;
      if (!token.ok) continue;
      const answer = await callApi(token.value.headers);
      // A token may have been replaced, or its grant ended, since it was served: that is 401, and no other user's affair.
      if (answer.status !== 401 && answer.user !== key.user) wrong.push(`${key.user} was taken for ${answer.user ?? answer.status}`);
    }
  };
  // What hangs is cut now and then, as a network would; the broker itself waits half a minute for an answer.
  const cutting = setInterval(() => server.tokenEndpoint.cutHanging(), 100);
  await Promise.all(keys.map(ask)).finally(() => clearInterval(cutting));
  expect(server.counters().refreshes).toBeGreaterThanOrEqual(wantedRefreshes);
  return wrong;
}

async function calmDown({ server }: Setting): Promise<void> {
  server.behaviour.flaky = null;
  server.behaviour.accessTokenLifetimeSeconds = 3600;
  await expect.poll(() => (server.tokenEndpoint.cutHanging(), server.tokenEndpoint.hanging), patience).toBe(0);
}

const harmless: readonly { readonly name: string; readonly answer: TokenResponseOverride }[] = [
  { name: "fails with 500", answer: tokenResponses.error(500, "server_error") },
  { name: "is cut before the request is read", answer: tokenResponses.drop("before-reading") },
  { name: "is cut after the request was read", answer: tokenResponses.drop("after-reading") },
  { name: "hangs", answer: tokenResponses.hang("after-reading") },
];

describe("every third answer of Mazda's that goes wrong", { timeout: 120_000 }, () => {
  it.each(harmless)("because it $name: every connection lives, and no spent refresh token is ever sent", async ({ answer }) => {
    const setting = await setUp(shortLifeSeconds);
    setting.server.behaviour.flaky = { every: 3, answer };
    expect(await askAllTheTime(setting)).toEqual([]);
    await calmDown(setting);
    for (const key of setting.keys) {
      await expectState(setting.desk, key, "Active");
      await expect.poll(() => setting.desk.program().tokenGet(key), patience).toMatchObject({ ok: true });
    }
    expect(setting.server.counters()).toMatchObject({ spentTokensPresented: 0, reuseDetections: 0, refusedRefreshes: 0 });
  });
});

describe("answers of Mazda's that are lost after the rotation", { timeout: 120_000 }, () => {
  it("end their connections after the spent token was sent once more, and never again; the others live", async () => {
    const setting = await setUp(lifeSeconds);
    const { server, desk, keys, callApi } = setting;
    const [unlucky, lucky] = [keys.slice(0, 3), keys.slice(3)];
    server.behaviour.nextTokenResponses.push(...unlucky.map(() => tokenResponses.drop("after-processing")));
    for (const key of unlucky) {
      const { tokenId } = await currentToken(desk, key);
      await desk.program().tokenRejected({ ...key, tokenId });
    }
    for (const key of unlucky) await expectState(desk, key, "ReconnectRequired");
    for (const key of lucky) {
      expect(await desk.program().tokenGet(key)).toMatchObject({ ok: true });
      expect(await useApi(desk, key, callApi)).toEqual({ status: 200, user: key.user });
      await expectState(desk, key, "Active");
    }
    expect(server.counters()).toMatchObject({
      spentTokensPresented: unlucky.length,
      spentTokensPresentedAgain: 0,
      reuseDetections: unlucky.length,
      refusedRefreshes: unlucky.length,
    });
  });
});
