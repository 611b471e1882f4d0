/**
 * What a provider's strange answers do to the whole broker. The overrides stay for every later request, because the
 * background tries again by itself and would otherwise get a good answer in the middle of a test.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import type { BrokerClient } from "../clients/node/dms-connect-client.ts";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { type MazdaServer, startMazdaServer } from "../e2e/providers/mazda-server.ts";
import { type TokenResponseOverride, tokenResponses } from "../e2e/providers/token-response-override.ts";
import type { Grant } from "./core/connection-state.ts";
import { provider as mazda } from "./oauth/providers/mazda.ts";
import {
  type ComposedBroker,
  newProfile,
  openBroker,
  openSession,
  pairProgram,
  type TestProfile,
  valueOf,
} from "./testing/composed-broker.ts";

const clientSecret = "s3cret:+%ä word";
const redirectUri = "http://127.0.0.1/mazda/callback";
const key = { provider: "mazda", environment: "production", user: "joe" } as const;

interface StrangeAnswer {
  readonly name: string;
  readonly override: TokenResponseOverride;
  /** How the failure names it; absent: it is `network_sign_in_needed`. */
  readonly problem?: string;
}

/** Whether the provider has rotated the tokens cannot be told from these. */
const unreadableSuccesses: readonly StrangeAnswer[] = [
  { name: "an empty body", override: tokenResponses.empty(), problem: "status 200, JSON that does not parse" },
  { name: "10 MB", override: tokenResponses.huge(), problem: "status 200, too large" },
  { name: "a wrong content type", override: tokenResponses.wrongContentType(), problem: "status 200, not JSON" },
  { name: "truncated JSON", override: tokenResponses.truncatedJson(), problem: "status 200, JSON that does not parse" },
  {
    name: "no access_token",
    override: tokenResponses.withoutField("access_token"),
    problem: "access_token missing or not valid",
  },
];

/** These say that nothing was done. */
const refusals: readonly StrangeAnswer[] = [
  { name: "an error page with status 400", override: tokenResponses.html(400), problem: "status 400, not JSON" },
  { name: "an error page with status 401", override: tokenResponses.html(401), problem: "status 401, not JSON" },
];

/** The network has answered in the provider's place: these, too, say that nothing was done. */
const portals: readonly StrangeAnswer[] = [
  { name: "a page instead of JSON", override: tokenResponses.html() },
  { name: "a block page with status 403", override: tokenResponses.html(403) },
  { name: "a page with status 511", override: tokenResponses.html(511) },
  { name: "a redirect", override: tokenResponses.redirectTo("/elsewhere") },
];

interface Setting {
  readonly server: MazdaServer;
  readonly profile: TestProfile;
  readonly app: ComposedBroker;
  readonly session: BrokerClient;
  /** Quits the app and starts it again on the same profile. */
  readonly reopen: () => Promise<Pick<Setting, "app" | "session">>;
}

/** What a person is told about an answer that a Connect got. */
function expectedFailure({ problem }: StrangeAnswer) {
  if (problem === undefined) return { code: "network_sign_in_needed", params: { provider: "Mazda" } };
  return { code: "provider_response_invalid", params: { provider: "Mazda", problem } };
}

/** A registered provider and a paired program; nobody is connected. */
async function setUp(): Promise<Setting> {
  const clients = [{ clientId: "macs7", clientSecret, redirectUris: [redirectUri], applicationName: "MACS7" }];
  const server = await startMazdaServer({ protocol: "http", clients, users: [{ id: "joe", name: "Joe" }] });
  onTestFinished(() => server.close());
  const endpoints = { authorizationEndpoint: server.authorizeUrl, tokenEndpoint: server.tokenUrl };
  const definition = { ...mazda, environments: { production: endpoints } };
  const profile = newProfile();
  const app = await openBroker(profile, definition);
  const { provider, environment } = key;
  const registration = { provider, environment, clientId: "macs7", clientSecret, redirectUris: [redirectUri], organisations: [] };
  valueOf(await app.broker.registrations.save([registration]));
  const credentials = await pairProgram(profile, app.broker);
  const session = await openSession(profile, credentials);
  const reopen = async () => {
    await app.close();
    const again = await openBroker(profile, definition);
    return { app: again, session: await openSession(profile, credentials) };
  };
  return { server, profile, app, session, reopen };
}

/** One Connect to its end, however it ends. */
async function connect({ broker, openedUrls }: ComposedBroker): Promise<void> {
  valueOf(await broker.connectFlow.start(key, undefined));
  const ended = new Promise<void>((resolve) => {
    onTestFinished(broker.connections.onChanged(({ state }) => state !== "Connecting" && resolve()));
  });
  await requestLoopback(await answerConsent(openedUrls.at(-1) ?? "", { decision: "approve" }));
  await ended;
}

async function setUpConnected(): Promise<Setting & { readonly grant: Grant }> {
  const setting = await setUp();
  await connect(setting.app);
  return { ...setting, grant: await grantOf(setting.app) };
}

/** The tokens the broker holds: right after a start, those of the vault. */
async function grantOf({ broker }: ComposedBroker): Promise<Grant> {
  const { record } = valueOf(await broker.connections.load(key));
  if (record === undefined || !("grant" in record.state)) throw new Error(`no grant: ${record?.state.kind ?? "no connection"}`);
  return record.state.grant;
}

/** Makes the program report a 401, which forces a refresh; gives its answer and every state that was announced. */
async function refuseToken({ app, session }: Pick<Setting, "app" | "session">) {
  const states: string[] = [];
  const stopListening = app.broker.connections.onChanged(({ state }) => states.push(state));
  const { tokenId } = valueOf(await session.tokenGet(key));
  const answer = await session.tokenRejected({ ...key, tokenId });
  stopListening();
  return { answer, states };
}

describe("at Connect", () => {
  it.each([...unreadableSuccesses, ...refusals, ...portals])(
    "$name fails with its own failure and stores no connection",
    async (strange) => {
      const setting = await setUp();
      setting.server.behaviour.everyTokenResponse = strange.override;
      await connect(setting.app);
      const [view, ...others] = valueOf(await setting.app.broker.connections.list());
      expect(others).toEqual([]);
      expect(view).toMatchObject({ state: "NotConnected", failure: expectedFailure(strange) });
      expect(await setting.session.tokenGet(key)).toMatchObject({ ok: false, error: { code: "not_connected" } });
      expect(setting.server.counters().tokenRequests).toEqual({ authorization_code: 1 });
      const { app } = await setting.reopen();
      expect(valueOf(await app.broker.connections.list())).toEqual([]);
    },
  );
});

describe("at a refresh", () => {
  it.each(unreadableSuccesses)(
    "$name with status 200 leaves the connection InDoubt with its tokens, also after a restart",
    async (strange) => {
      const setting = await setUpConnected();
      setting.server.behaviour.everyTokenResponse = strange.override;
      const { answer, states } = await refuseToken(setting);
      expect(answer).toMatchObject({ ok: false, error: { code: "provider_unavailable", detail: "refresh_ambiguous", retryable: true } });
      expect(states).toContain("InDoubt");
      expect(states).not.toContain("ReconnectRequired");
      await expectTokensKept(setting, "InDoubt");
    },
  );

  it.each(refusals)("$name leaves the connection Retrying with its tokens, and Active after a restart", async (strange) => {
    const setting = await setUpConnected();
    setting.server.behaviour.everyTokenResponse = strange.override;
    const { answer, states } = await refuseToken(setting);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "provider_unavailable", detail: "provider_response_invalid", retryable: true },
    });
    expect(states).toContain("Retrying");
    expect(states).not.toContain("ReconnectRequired");
    await expectTokensKept(setting, "Active");
  });

  it.each(portals)("$name is the network's trouble: the connection keeps its state and its tokens", async (strange) => {
    const setting = await setUpConnected();
    setting.server.behaviour.everyTokenResponse = strange.override;
    const { answer, states } = await refuseToken(setting);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "provider_unavailable", detail: "network_sign_in_needed", retryable: true },
    });
    expect(states.filter((state) => state !== "Refreshing" && state !== "Active")).toEqual([]);
    await expectTokensKept(setting, "Active");
  });

  const untouched = [...unreadableSuccesses, ...refusals, ...portals].filter(({ override }) => override.kind === "replace");
  it.each(untouched)("$name is made good by the next refresh, when the provider had done nothing", async (strange) => {
    const setting = await setUpConnected();
    setting.server.behaviour.everyTokenResponse = strange.override;
    await refuseToken(setting);
    const reopened = await setting.reopen();
    setting.server.behaviour.everyTokenResponse = null;
    const renewed = valueOf((await refuseToken(reopened)).answer);
    expect(renewed.accessToken).not.toBe(setting.grant.accessToken);
    expect(setting.server.issuedSecrets()).toContain(renewed.accessToken);
    expect(valueOf(await reopened.session.connectionGet(key)).state).toBe("Active");
  });
});

async function expectTokensKept(setting: Setting & { readonly grant: Grant }, storedState: string): Promise<void> {
  expect(await grantOf(setting.app)).toEqual(setting.grant);
  const { app, session } = await setting.reopen();
  expect(await grantOf(app)).toEqual(setting.grant);
  expect(valueOf(await session.connectionGet(key)).state).toBe(storedState);
  expect(valueOf(await session.tokenGet(key)).accessToken).toBe(setting.grant.accessToken);
}

describe("a token response that is only unusual", () => {
  it("may have fields nobody asked for", async () => {
    const setting = await setUp();
    const extra = { id_token: "not.a.jwt", user: { name: "Joe" }, token: [1, null], refresh_token_expires_at: "soon" };
    setting.server.behaviour.everyTokenResponse = tokenResponses.withFields(extra);
    await connect(setting.app);
    const token = valueOf(await setting.session.tokenGet(key));
    expect(setting.server.issuedSecrets()).toContain(token.accessToken);
    const { answer } = await refuseToken(setting);
    expect(valueOf(answer).accessToken).not.toBe(token.accessToken);
    const kept = Object.keys(await grantOf(setting.app));
    expect(kept.filter((name) => name in extra)).toEqual([]);
  });

  it("may hold an access token of 8 KiB, which a program gets whole", async () => {
    const setting = await setUp();
    setting.server.behaviour.everyTokenResponse = tokenResponses.longAccessToken(8192);
    await connect(setting.app);
    const accessToken = "L".repeat(8192);
    const served = { accessToken, headers: { Authorization: `Bearer ${accessToken}` } };
    expect(valueOf(await setting.session.tokenGet(key))).toMatchObject(served);
    const { session } = await setting.reopen();
    expect(valueOf(await session.tokenGet(key))).toMatchObject(served);
  });

  it.each([
    { name: "a negative", override: tokenResponses.withFields({ expires_in: -3600 }) },
    { name: "a zero", override: tokenResponses.withFields({ expires_in: 0 }) },
    { name: "an absurdly long", override: tokenResponses.withFields({ expires_in: 1e15 }) },
    { name: "a wordy", override: tokenResponses.withFields({ expires_in: "tomorrow" }) },
    { name: "a null", override: tokenResponses.withFields({ expires_in: null }) },
    { name: "a missing", override: tokenResponses.withoutField("expires_in") },
  ])("with $name expires_in connects, and its token counts as good for 10 minutes", async ({ override }) => {
    const setting = await setUp();
    setting.server.behaviour.everyTokenResponse = override;
    await connect(setting.app);
    const { obtainedAtMs, accessTokenExpiresAtMs } = await grantOf(setting.app);
    expect(accessTokenExpiresAtMs - obtainedAtMs).toBe(600_000);
    const token = valueOf(await setting.session.tokenGet(key));
    expect(token.expiresAt).toBe(Math.floor(accessTokenExpiresAtMs / 1000));
    expect(setting.server.issuedSecrets()).toContain(token.accessToken);
    expect(valueOf(await setting.session.connectionGet(key)).state).toBe("Active");
  });
});
