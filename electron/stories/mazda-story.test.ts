/** A whole connection's life at Mazda, played after its document, with a person in a real browser and the callback on https. */
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../e2e/support/free-port.ts";
import { provider as mazda } from "../oauth/providers/mazda.ts";
import { valueOf } from "../testing/composed-broker.ts";
import { currentToken, expectState, openDesk, patience, rejectToken, stateOf, useApi } from "./desk.ts";
import { hasBrowser, Person, type SignInDetails, standInButtons } from "./person.ts";
import { expectOver, expectUsable, expireRefreshAndRotate, type Renewals, restart, shortLifeSeconds } from "./renewal-chapters.ts";
import { type MovableClock, movableClock, type PlayedMazda, playMazda } from "./stand-ins.ts";
import { watchTokenRequests } from "./token-requests.ts";

const user: SignInDetails = { userName: "mmd10030.johndoe", password: "johns-password" };
/** Not the user's first one, so that an answer shows whether the header was sent. */
const organisation = "10030/MMD";
const foreignOrganisation = "20040/MMG";
const daySeconds = 86_400;

interface Telling extends Renewals {
  readonly mazda: PlayedMazda;
  readonly clock: MovableClock;
  readonly person: Person;
}

async function begin(person: Person): Promise<Telling> {
  const clock = movableClock();
  const redirectUri = `https://127.0.0.1:${await freePort()}/dms/oauth/code`;
  const users = [{ id: user.userName, name: "John Doe", password: user.password, organisations: ["10099/MMD", organisation] }];
  const organisations = [organisation, foreignOrganisation];
  const played = await playMazda({ redirectUri, organisations, users, behaviour: { signInPage: true } }, clock.now);
  const requests = watchTokenRequests(played.server.tokenUrl);
  const desk = await openDesk(mazda, played.registration);
  return { mazda: played, clock, desk, key: played.key(user.userName), callApi: played.callApi, person, requests };
}

/** Opens the sign-in page as the program asks for it, and signs in there. */
async function signIn({ desk, key, person }: Telling, mistype = false): Promise<Page> {
  valueOf(await desk.program().connectStart({ ...key, organisation }));
  const page = await person.open(desk.app().openedUrls.at(-1) ?? "");
  if (mistype) {
    await person.signIn(page, { ...user, password: "not the password" });
    await page.getByText("Invalid username or password.").waitFor();
  }
  await person.signIn(page, user);
  await page.getByText("Dear John Doe, do you want to grant application 'MACS7' access to the Mazda DMS web services?").waitFor();
  return page;
}

async function refuse(telling: Telling): Promise<void> {
  const page = await signIn(telling, true);
  await telling.person.decide(page, standInButtons.refuse(page));
  await expectState(telling.desk, telling.key, "NotConnected");
  const { problem } = valueOf(await telling.desk.program().connectionGet(telling.key));
  expect(problem).toMatchObject({ detail: "consent_refused" });
}

async function connect(telling: Telling): Promise<void> {
  const page = await signIn(telling);
  await telling.person.decide(page, standInButtons.approve(page));
  await expectState(telling.desk, telling.key, "Active");
  await expectUsable(telling);
  expect((await currentToken(telling.desk, telling.key)).headers).toMatchObject({ "X-mazda-org": organisation });
  const connection = valueOf(await telling.desk.program().connectionGet(telling.key));
  expect(connection).toMatchObject({ organisation, grantExpiryIsEstimate: true });
}

async function idleOut(telling: Telling): Promise<void> {
  telling.clock.moveDays(22);
  await expectState(telling.desk, telling.key, "ReconnectRequired");
  await expectOver(telling);
  expect(telling.mazda.server.counters()).toMatchObject({ refusedRefreshes: 1 });
}

async function reportRejection(telling: Telling): Promise<void> {
  const { desk, key, requests } = telling;
  const before = { token: await currentToken(desk, key), sent: requests.refreshes().length };
  telling.mazda.server.expireAccessTokens();
  expect(await useApi(desk, key, telling.callApi)).toEqual({ status: 200, user: user.userName });
  expect((await currentToken(desk, key)).tokenId).not.toBe(before.token.tokenId);
  expect(requests.refreshes()).toHaveLength(before.sent + 1);
  // Refused again at once: the token is not the reason, so it is not renewed once more.
  expect(await rejectToken(desk, key)).toMatchObject({ ok: false, error: { code: "rate_limited", detail: "token_rejected_again" } });
  expect(requests.refreshes()).toHaveLength(before.sent + 1);
}

/** 403 is about the user's rights: a program does not report it, and nothing happens to the connection. */
async function standForbidden({ desk, key, callApi, requests }: Telling): Promise<void> {
  const before = { token: await currentToken(desk, key), sent: requests.refreshes().length };
  const abroad = valueOf(await desk.program().tokenGet({ ...key, organisation: foreignOrganisation }));
  expect(await callApi(abroad.headers)).toMatchObject({ status: 403 });
  expect(await useApi(desk, key, callApi)).toMatchObject({ status: 200 });
  expect((await currentToken(desk, key)).tokenId).toBe(before.token.tokenId);
  expect(requests.refreshes()).toHaveLength(before.sent);
  expect(await stateOf(desk, key)).toBe("Active");
}

/** Mazda cannot be told: the connection goes here, and the grant stands until a person ends it in Mazda's own screens. */
async function forget({ desk, key, mazda: { server }, callApi, person }: Telling): Promise<void> {
  expect(await desk.program().revoke(key)).toMatchObject({ ok: false, error: { detail: "revocation_unsupported" } });
  const copy = valueOf(await desk.program().tokenGet(key));
  valueOf(await desk.program().forget(key));
  expect(await desk.program().tokenGet(key)).toMatchObject({ ok: false, error: { code: "not_connected" } });
  await expectState(desk, key, "NotConnected");
  expect(await callApi(copy.headers)).toMatchObject({ status: 200 });

  const screens = await person.open(server.grantScreensUrl);
  const row = screens.getByRole("row", { name: user.userName });
  // The grant that went idle is still listed besides: nobody has ended it.
  for (let left = await row.count(); left > 0; left -= 1) {
    await row.first().getByRole("button", { name: "Revoke" }).click();
    await expect.poll(() => row.count(), patience).toBe(left - 1);
  }
  expect((await callApi(copy.headers)).status).toBe(401);
}

describe.runIf(hasBrowser("the story of a connection at Mazda, in a browser"))("a connection at Mazda", { timeout: 180_000 }, () => {
  let person: Person;
  beforeAll(async () => {
    person = await Person.arrive();
  });
  afterAll(() => person.leave());

  it("is refused, made, used, renewed, rotated, lost when idle, made again, rejected, forbidden and forgotten", async () => {
    const telling = await begin(person);
    const { behaviour } = telling.mazda.server;
    await refuse(telling);
    behaviour.accessTokenLifetimeSeconds = shortLifeSeconds;
    await connect(telling);
    await expireRefreshAndRotate(telling);
    await restart(telling);
    await idleOut(telling);
    behaviour.accessTokenLifetimeSeconds = daySeconds;
    await connect(telling);
    await reportRejection(telling);
    await standForbidden(telling);
    await forget(telling);
    expect(telling.requests.spentTokensSent()).toBe(0);
    expect(telling.mazda.server.counters()).toMatchObject({ refusals: 1, approvals: 2, spentTokensPresented: 0, reuseDetections: 0 });
  });
});
