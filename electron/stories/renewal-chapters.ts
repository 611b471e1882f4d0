/**
 * The chapters that are the same at every provider: a token that is used, ends, is renewed and survives a restart. Invariant:
 * tokens are short-lived here, so no chapter counts on one that it was given a while ago.
 */
import { expect } from "vitest";
import type { ConnectionKey } from "../core/connection-state.ts";
import { type CallApi, currentToken, type Desk, patience } from "./desk.ts";
import type { TokenRequests } from "./token-requests.ts";

/** Soon enough to be seen, late enough to be used. */
export const shortLifeSeconds = 4;

export interface Renewals {
  readonly desk: Desk;
  readonly key: ConnectionKey;
  readonly callApi: CallApi;
  readonly requests: TokenRequests;
}

/** The token that there is lets the user in. */
export async function expectUsable({ desk, key, callApi }: Renewals): Promise<void> {
  const use = async () => callApi((await currentToken(desk, key)).headers);
  await expect.poll(use, patience).toEqual({ status: 200, user: key.user });
}

/** Nobody asks for a token: the broker renews by itself. */
export async function expireRefreshAndRotate(renewals: Renewals): Promise<void> {
  const { desk, key, callApi, requests } = renewals;
  const before = { token: await currentToken(desk, key), refreshToken: requests.newestRefreshToken() };
  await expect.poll(async () => (await callApi(before.token.headers)).status, patience).toBe(401);
  await expect.poll(() => requests.newestRefreshToken(), patience).not.toBe(before.refreshToken);
  expect((await currentToken(desk, key)).accessToken).not.toBe(before.token.accessToken);
  await expectUsable(renewals);
}

/** What was rotated last is what the next start goes on with. */
export async function restart(renewals: Renewals): Promise<void> {
  const { desk, requests } = renewals;
  await desk.quit();
  const before = requests.newestRefreshToken();
  await desk.open();
  await expect.poll(() => requests.newestRefreshToken(), patience).not.toBe(before);
  await expectUsable(renewals);
  expect(requests.spentTokensSent()).toBe(0);
}

/** The connection has ended for good: programs hear so, and the provider is not asked again. */
export async function expectOver({ desk, key, requests }: Renewals): Promise<void> {
  const sent = requests.refreshes().length;
  for (let time = 0; time < 3; time += 1) {
    expect(await desk.program().tokenGet(key)).toMatchObject({ ok: false, error: { code: "reconnect_required", retryable: false } });
  }
  expect(requests.refreshes()).toHaveLength(sent);
}
