/**
 * The whole story of a connection at a realm like Webfleet's, told to whichever server plays it: the stand-in on oidc-provider or
 * a Keycloak. Invariant: it needs nothing of the server but what `WebfleetRealm` names, and judges by what programs and the
 * person see and by what the broker has sent.
 */

import type { Page } from "playwright";
import { expect } from "vitest";
import type { ProviderDefinition } from "../core/provider-definition.ts";
import { valueOf } from "../testing/composed-broker.ts";
import { type CallApi, currentToken, expectState, openDesk, rejectToken, useApi } from "./desk.ts";
import type { ConsentButtons, Person, SignInDetails } from "./person.ts";
import { expectOver, expectUsable, expireRefreshAndRotate, type Renewals, restart, shortLifeSeconds } from "./renewal-chapters.ts";
import { type CompleteRegistration, refreshAsClient } from "./stand-ins.ts";
import { type TokenRequests, watchTokenRequests } from "./token-requests.ts";

export interface WebfleetRealm {
  readonly definition: ProviderDefinition;
  readonly registration: CompleteRegistration;
  readonly user: SignInDetails;
  readonly buttons: ConsentButtons;
  /** An API that takes the realm's access tokens. */
  readonly callApi: CallApi;
  /** How long access tokens live that are issued from now on. */
  readonly setTokenLifeSeconds: (seconds: number) => Promise<void>;
  /** The grant ends at the realm, as by its idle timeout; nobody tells the broker. */
  readonly letGrantDie: () => Promise<void>;
  /** Only a server that is played can do these. */
  readonly playedOnly?: {
    readonly expireAccessTokens: () => void;
    readonly answerApi: (status: 403 | null) => void;
  };
}

const usualLifeSeconds = 3600;

interface Telling extends Renewals {
  readonly realm: WebfleetRealm;
  readonly person: Person;
}

/** What is left to say at the end. */
export interface Moral {
  /** Spent refresh tokens that the broker has sent. */
  readonly spentTokensSent: number;
  /** Renewals that the realm has refused. */
  readonly refused: number;
}

/** The one refusal is the dead grant's. */
export const expectedMoral: Moral = { spentTokensSent: 0, refused: 1 };

/** Tells it: connect, use, expire, refresh, rotate, restart, die, reconnect, 401, 403, revoke. Throws where it goes wrong. */
export async function tellWebfleetStory(realm: WebfleetRealm, person: Person): Promise<Moral> {
  const { registration } = realm;
  const requests = watchTokenRequests(registration.endpoints.tokenEndpoint ?? "");
  const desk = await openDesk(realm.definition, registration);
  const key = { provider: registration.provider, environment: registration.environment, user: realm.user.userName };
  const telling: Telling = { realm, person, desk, key, requests, callApi: realm.callApi };

  await refuse(telling);
  await realm.setTokenLifeSeconds(shortLifeSeconds);
  await connect(telling);
  await expireRefreshAndRotate(telling);
  await restart(telling);
  await dieAndAskForReconnect(telling);
  await realm.setTokenLifeSeconds(usualLifeSeconds);
  await connect(telling);
  await reportRejection(telling);
  await standForbidden(telling);
  await revoke(telling);
  return { spentTokensSent: requests.spentTokensSent(), refused: refusedRefreshes(requests) };
}

/** Opens the sign-in page as the program asks for it, and signs in there. */
async function signIn({ desk, key, person, realm }: Telling, mistype = false): Promise<Page> {
  valueOf(await desk.program().connectStart(key));
  const page = await person.open(desk.app().openedUrls.at(-1) ?? "");
  if (mistype) {
    await person.signIn(page, { ...realm.user, password: "not the password" });
    await page.getByText("Invalid username or password.").waitFor();
  }
  await person.signIn(page, realm.user);
  return page;
}

async function refuse(telling: Telling): Promise<void> {
  const { desk, key, person, realm } = telling;
  const page = await signIn(telling, true);
  await person.decide(page, realm.buttons.refuse(page));
  await expectState(desk, key, "NotConnected");
  expect(valueOf(await desk.program().connectionGet(key)).problem).toMatchObject({ detail: "consent_refused" });
}

async function connect(telling: Telling): Promise<void> {
  const { desk, key, person, realm } = telling;
  const page = await signIn(telling);
  await person.decide(page, realm.buttons.approve(page));
  await expectState(desk, key, "Active");
  await expectUsable(telling);
  const connection = valueOf(await desk.program().connectionGet(key));
  // `refresh_expires_in: 0`: no fixed end, and yet not for ever.
  expect(connection).toMatchObject({ grantExpiryIsEstimate: true });
  expect(connection.grantExpiresAt).toBeGreaterThan(Date.now() / 1000 + 86_400);
}

async function dieAndAskForReconnect(telling: Telling): Promise<void> {
  await telling.realm.letGrantDie();
  await expectState(telling.desk, telling.key, "ReconnectRequired");
  expect(refusedRefreshes(telling.requests)).toBe(1);
  await expectOver(telling);
}

function refusedRefreshes(requests: TokenRequests): number {
  return requests.refreshes().filter(({ answer }) => answer?.status === 400).length;
}

async function reportRejection(telling: Telling): Promise<void> {
  const { desk, key, realm, requests } = telling;
  const before = { token: await currentToken(desk, key), sent: requests.refreshes().length };
  if (realm.playedOnly === undefined) {
    valueOf(await rejectToken(desk, key));
  } else {
    realm.playedOnly.expireAccessTokens();
    expect(await useApi(desk, key, realm.callApi)).toMatchObject({ status: 200 });
  }
  expect((await currentToken(desk, key)).tokenId).not.toBe(before.token.tokenId);
  expect(requests.refreshes()).toHaveLength(before.sent + 1);
  // The report of a program that has not heard yet: the token was replaced already.
  const late = valueOf(await desk.program().tokenRejected({ ...key, tokenId: before.token.tokenId }));
  expect(late.accessToken).toBe((await currentToken(desk, key)).accessToken);
  expect(requests.refreshes()).toHaveLength(before.sent + 1);
  await expectUsable(telling);
}

/** 403 is about the user's rights: a program does not report it, and nothing happens to the connection. */
async function standForbidden({ desk, key, realm, requests }: Telling): Promise<void> {
  if (realm.playedOnly === undefined) return;
  const before = { token: await currentToken(desk, key), sent: requests.refreshes().length };
  realm.playedOnly.answerApi(403);
  expect(await useApi(desk, key, realm.callApi)).toMatchObject({ status: 403 });
  realm.playedOnly.answerApi(null);
  expect(await useApi(desk, key, realm.callApi)).toMatchObject({ status: 200 });
  expect((await currentToken(desk, key)).tokenId).toBe(before.token.tokenId);
  expect(requests.refreshes()).toHaveLength(before.sent);
  await expectState(desk, key, "Active");
}

async function revoke({ desk, key, realm, requests }: Telling): Promise<void> {
  const copy = await currentToken(desk, key);
  const refreshToken = requests.newestRefreshToken();
  valueOf(await desk.program().revoke(key));
  expect(await desk.program().tokenGet(key)).toMatchObject({ ok: false, error: { code: "not_connected" } });
  await expectState(desk, key, "NotConnected");
  // The realm itself knows it no more.
  expect((await refreshAsClient(realm.registration, refreshToken)).status).toBe(400);
  // Webfleet says so of access tokens: they stay valid until they have expired. A Keycloak's own API looks at the session.
  if (realm.playedOnly !== undefined) expect(await realm.callApi(copy.headers)).toMatchObject({ status: 200 });
}
