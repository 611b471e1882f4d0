import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { PipeConnection } from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import type { AccessPolicy } from "../../shared/views.ts";
import { problemOf } from "./pipe-problem.ts";
import type { DmsClientRecord } from "./ports.ts";
import { ProgramService } from "./program-service.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, registrationInput, webfleetKey } from "./testing/records.ts";
import { codeOf, createWorld, valueOf } from "./testing/world.ts";

const everything: AccessPolicy = { users: "all", providers: "all" };
const onlyMazda: AccessPolicy = { users: "all", providers: ["mazda"] };
const program = (access: AccessPolicy): DmsClientRecord => ({ clientId: "dms", name: "DMS", clientKey: "key", access, pairedAtMs: 0 });

/** A service in front of a connected Mazda and Webfleet user. */
async function createService() {
  const world = await createWorld();
  world.store(mazdaKey, { kind: "Active", grant: world.newGrant("mazda") }, "10030/MMD");
  world.store(webfleetKey, { kind: "Active", grant: world.newGrant("webfleet") }, "ignored");
  const audit: string[] = [];
  const seen: string[] = [];
  const shown: string[] = [];
  const service = new ProgramService({
    connections: world.connections,
    registrations: world.registrations,
    broker: world.broker,
    connectFlow: world.connectFlow,
    revocation: world.revocation,
    clock: world.clock,
    version: "1.2.3",
    seen: (clientId) => seen.push(clientId),
    onShowRequested: (id) => shown.push(`${id}, ${world.browser.opened.length} pages open`),
    pauseOf: (provider, environment) => world.gate.pauseOf(provider, environment),
    audit: (action, client, key, outcome) =>
      audit.push(`${client.clientId} ${action} ${key?.provider}/${key?.environment}/${key?.user} ${outcome}`),
  });
  world.vault.calls.length = 0;
  return { world, service, audit, seen, shown };
}

describe("a program outside its access", () => {
  it("is refused everywhere before vault, provider or browser is touched, and every refusal is an audit row", async () => {
    const { world, service, audit } = await createService();
    const client = program(onlyMazda);
    const refusals = await Promise.all([
      service.tokenGet(client, webfleetKey),
      service.tokenRejected(client, { ...webfleetKey, tokenId: "t1" }),
      service.connectionGet(client, webfleetKey),
      service.connectStart(client, webfleetKey),
      service.connectCancel(client, webfleetKey),
      service.connectionRevoke(client, webfleetKey),
      service.connectionForget(client, webfleetKey),
    ]);
    expect(new Set(refusals.map(codeOf))).toEqual(new Set(["not_permitted"]));
    expect([world.vault.calls, world.oauth.refreshes.count, world.browser.opened]).toEqual([[], 0, []]);
    expect(audit).toHaveLength(refusals.length);
    expect(audit[0]).toBe("dms token.get webfleet/production/jdoe not_permitted");
  });

  it("is refused an unknown provider with a row that says so", async () => {
    const { service, audit } = await createService();
    expect(codeOf(await service.tokenGet(program(everything), { provider: "nobody", user: "jdoe" }))).not.toBe("ok");
    expect(audit).toHaveLength(1);
    expect(audit[0]).toMatch(/^dms token\.get nobody\/production\/jdoe (?!ok)/);
  });

  it("leaves a row for lists and subscriptions, too, but only one a minute for what it may ask every second", async () => {
    const { service, audit, world } = await createService();
    const client = program(everything);
    for (let time = 0; time < 3; time += 1) {
      await service.connectionList(client);
      await service.connectionGet(client, mazdaKey);
    }
    service.onConnectionChanged(client, () => undefined)();
    expect(audit).toEqual([
      "dms connection.list undefined/undefined/undefined ok",
      `dms connection.get mazda/production/${mazdaKey.user} ok`,
      "dms events.subscribe undefined/undefined/undefined ok",
    ]);
    await world.clock.advance(60_000);
    await service.connectionList(client);
    expect(audit).toHaveLength(4);
  });

  it("is not told which providers exist", async () => {
    const { service } = await createService();
    expect(codeOf(await service.tokenGet(program(onlyMazda), { provider: "volvo", user: "jdoe" }))).toBe("not_permitted");
    expect(codeOf(await service.tokenGet(program(everything), { provider: "volvo", user: "jdoe" }))).toBe("provider_unknown");
  });

  it("sees only its own connections in the list and in events", async () => {
    const { world, service } = await createService();
    const client = program({ users: [mazdaKey.user], providers: "all" });
    const heard: PipeConnection[] = [];
    const stop = service.onConnectionChanged(client, (connection) => heard.push(connection));
    const { connections } = valueOf(await service.connectionList(client));
    expect(connections.map(({ user }) => user)).toEqual([mazdaKey.user]);
    valueOf(await world.revocation.forget(webfleetKey));
    expect(heard).toEqual([]);
    valueOf(await world.revocation.forget(mazdaKey));
    expect(heard.map(({ state }) => state)).toEqual(["Forgotten"]);
    stop();
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    expect(heard).toHaveLength(1);
  });
});

describe("each request of a program", () => {
  it("is refused from the moment its access ends", async () => {
    const { world, service } = await createService();
    const client = program({ ...everything, untilMs: world.clock.nowMs() + 1_000 });
    expect(codeOf(service.admit(client))).toBe("ok");
    await world.clock.advance(1_000);
    expect(codeOf(service.admit(client))).toBe("not_paired");
  });

  it("counts against its minute, and one audit row a minute tells that it asked for more", async () => {
    const { world, service, audit } = await createService();
    const client = program({ ...everything, requestsPerMinute: 2 });
    expect([1, 2].map(() => codeOf(service.admit(client)))).toEqual(["ok", "ok"]);
    for (let time = 0; time < 5; time += 1) {
      expect(service.admit(client)).toMatchObject({
        error: { code: "program_rate_limited", params: { limit: 2 }, retryAfterSeconds: 30 },
      });
    }
    expect(audit).toEqual([`${client.clientId} rate_limit undefined/undefined/undefined program_rate_limited`]);
    await world.clock.advance(30_000);
    expect(codeOf(service.admit(client))).toBe("ok");
  });

  it("is listed one by one when it is refused, but only up to 60 a minute, so that refusals do not fill the disk", async () => {
    const { service, audit, world } = await createService();
    const client = program(onlyMazda);
    for (let time = 0; time < 500; time += 1) await service.tokenGet(client, { ...webfleetKey, user: `user ${time}` });
    expect(audit).toHaveLength(61);
    expect(audit[59]).toBe("dms token.get webfleet/production/user 59 not_permitted");
    expect(audit[60]).toBe("dms refusals.more undefined/undefined/undefined not_permitted");
    await service.tokenGet(client, mazdaKey);
    expect(audit.at(-1)).toMatch(/^dms token\.get mazda.* ok$/);
    await world.clock.advance(60_000);
    await service.tokenGet(client, webfleetKey);
    expect(audit).toHaveLength(63);
  });

  it("may be 6,000 a minute where nobody chose another number", async () => {
    const { service } = await createService();
    const outcomes = Array.from({ length: 6_001 }, () => codeOf(service.admit(program(everything))));
    expect([outcomes.filter((code) => code === "ok").length, outcomes.at(-1)]).toEqual([6_000, "program_rate_limited"]);
  });

  it("may open the sign-in page six times a minute at most", async () => {
    const { service, audit } = await createService();
    const outcomes: string[] = [];
    for (let time = 0; time < 7; time += 1) {
      outcomes.push(codeOf(await service.connectStart(program(everything), { provider: "mazda", user: "new" })));
    }
    expect(outcomes).toEqual([...Array.from({ length: 6 }, () => "ok"), "program_rate_limited"]);
    expect(audit.at(-1)).toBe("dms connect.start mazda/production/new program_rate_limited");
  });
});

describe("a token", () => {
  it("is one and the same answer for all who ask within a second, and a new one afterwards", async () => {
    const { world, service } = await createService();
    const first = valueOf(await service.tokenGet(program(everything), mazdaKey));
    expect(valueOf(await service.tokenGet(program(onlyMazda), mazdaKey))).toBe(first);
    await world.clock.advance(1_000);
    const later = valueOf(await service.tokenGet(program(everything), mazdaKey));
    expect(later).toEqual({ ...first, expiresInSeconds: first.expiresInSeconds - 1 });
  });

  it("is answered anew for another organisation, and for another token", async () => {
    const { world, service } = await createService();
    const first = valueOf(await service.tokenGet(program(everything), mazdaKey));
    const asked = valueOf(await service.tokenGet(program(everything), { ...mazdaKey, organisation: "10031/MMD" }));
    expect(asked.headers).toEqual({ ...first.headers, "X-mazda-org": "10031/MMD" });
    expect(valueOf(await service.tokenGet(program(everything), mazdaKey)).headers).toEqual(first.headers);
    const asking = service.tokenRejected(program(everything), { ...mazdaKey, tokenId: first.tokenId });
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    expect(valueOf(await asking)).toMatchObject({ accessToken: "access-new", headers: { Authorization: "Bearer access-new" } });
  });

  it("comes with headers ready to send, the organisation of the connection among them", async () => {
    const { world, service, audit, seen } = await createService();
    expect(valueOf(await service.tokenGet(program(everything), { provider: "mazda", user: mazdaKey.user }))).toEqual({
      accessToken: "access-mazda",
      tokenType: "Bearer",
      tokenId: `t${world.clock.nowMs().toString(36)}`,
      expiresAt: Math.floor(world.clock.nowMs() / 1000) + 3600,
      expiresInSeconds: 3600,
      headers: { Authorization: "Bearer access-mazda", "X-mazda-org": "10030/MMD" },
    });
    expect([audit, seen]).toEqual([[`dms token.get mazda/production/${mazdaKey.user} ok`], ["dms"]]);
  });

  it("names the organisation the program asks for, if the registration lists it", async () => {
    const { service, audit } = await createService();
    const other = valueOf(await service.tokenGet(program(everything), { ...mazdaKey, organisation: "10031/MMD" }));
    expect(other.headers["X-mazda-org"]).toBe("10031/MMD");
    expect(codeOf(await service.tokenGet(program(everything), { ...mazdaKey, organisation: "1/MMD" }))).toBe("organisation_unknown");
    expect(audit.at(-1)).toMatch(/organisation_unknown$/);
  });

  it("has no organisation header where the provider has none", async () => {
    const { service } = await createService();
    expect(valueOf(await service.tokenGet(program(everything), webfleetKey)).headers).toEqual({ Authorization: "Bearer access-webfleet" });
  });

  it("that cannot be had is an audit row with the reason", async () => {
    const { service, audit } = await createService();
    expect(codeOf(await service.tokenGet(program(everything), { ...mazdaKey, user: "nobody" }))).toBe("not_connected");
    expect(audit).toEqual(["dms token.get mazda/production/nobody not_connected"]);
  });

  it("that the API refused is replaced, and the row says which call it was", async () => {
    const { world, service, audit } = await createService();
    const client = program(everything);
    const { tokenId } = valueOf(await service.tokenGet(client, mazdaKey));
    await world.clock.advance(1_000);
    const answer = service.tokenRejected(client, { ...mazdaKey, tokenId });
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    const replaced = valueOf(await answer);
    expect(replaced.accessToken).toBe("access-new");
    expect(replaced.tokenId).not.toBe(tokenId);
    expect(audit.at(-1)).toBe(`dms token.rejected mazda/production/${mazdaKey.user} ok`);
  });
});

describe("a failure that a person has to mend", () => {
  const codeAndId = (result: Result<unknown>) => {
    if (result.ok) return [];
    const { code, connectionId: id } = problemOf(result.error);
    return [code, id];
  };

  it("names the connection, so that the program can ask for its row", async () => {
    const { world, service } = await createService();
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
    const client = program(everything);
    const nobody = { provider: "mazda", user: "no body" };
    expect(codeAndId(await service.tokenGet(client, webfleetKey))).toEqual(["reconnect_required", "webfleet/production/jdoe"]);
    expect(codeAndId(await service.tokenGet(client, nobody))).toEqual(["not_connected", "mazda/production/no%20body"]);
    expect(codeAndId(await service.tokenRejected(client, { ...nobody, tokenId: "t1" }))).toEqual([
      "not_connected",
      "mazda/production/no%20body",
    ]);
    expect(codeAndId(await service.connectionRevoke(client, { ...webfleetKey, user: "nobody" }))).toEqual([
      "not_connected",
      "webfleet/production/nobody",
    ]);
  });

  it("names none where the program may not know of it, or nobody can mend it there", async () => {
    const { service } = await createService();
    expect(codeAndId(await service.tokenGet(program(onlyMazda), webfleetKey))).toEqual(["not_permitted", undefined]);
    expect(codeAndId(await service.connectionRevoke(program(everything), mazdaKey))).toEqual(["invalid_request", undefined]);
  });
});

describe("what else a program may do", () => {
  it("has the window show the row of a sign-in before the browser opens, and of no other connection", async () => {
    const { service, shown, world } = await createService();
    valueOf(await service.connectStart(program(everything), { provider: "mazda", user: "new.user" }));
    expect([shown, world.browser.opened.length]).toEqual([["mazda/production/new.user, 0 pages open"], 1]);
    await service.connectStart(program(onlyMazda), webfleetKey);
    expect(shown).toHaveLength(1);
  });

  it("sees of which token the end is only estimated, and what cannot be renewed", async () => {
    const { world, service } = await createService();
    const { refreshToken: _none, ...grant } = world.newGrant("once", { accessTokenExpiryIsEstimate: true });
    world.store({ ...mazdaKey, user: "once" }, { kind: "Active", grant });
    const [once, usual] = await Promise.all(
      ["once", mazdaKey.user].map((user) => service.connectionGet(program(everything), { provider: "mazda", user })),
    );
    expect(once).toMatchObject({ ok: true, value: { accessTokenExpiryIsEstimate: true, isNotRenewable: true } });
    expect(usual).not.toHaveProperty("value.accessTokenExpiryIsEstimate");
    expect(usual).not.toHaveProperty("value.isNotRenewable");
  });

  it("cannot begin a sign-in where a port is taken or no browser opens, and the window shows the row all the same", async () => {
    const { world, service, shown } = await createService();
    const start = async () => codeOf(await service.connectStart(program(everything), mazdaKey));
    world.callback.failure = failure("port_in_use", { port: 8310 });
    expect(await start()).toBe("port_in_use");
    world.callback.failure = undefined;
    world.browser.failure = failure("browser_not_opened");
    expect(await start()).toBe("browser_not_opened");
    expect(shown).toHaveLength(2);
  });

  it("starts a sign-in and gets the connection as Connecting, then cancels it", async () => {
    const { service, audit } = await createService();
    const selector = { provider: "mazda", user: "new.user" };
    const { connection } = valueOf(await service.connectStart(program(everything), selector));
    expect(connection).toMatchObject({ id: "mazda/production/new.user", state: "Connecting" });
    expect(codeOf(await service.connectCancel(program(everything), selector))).toBe("ok");
    await settled();
    expect(valueOf(await service.connectionGet(program(everything), selector))).toMatchObject({
      state: "NotConnected",
      problem: { detail: "connect_cancelled" },
    });
    expect(audit).toEqual([
      "dms connect.start mazda/production/new.user ok",
      "dms connect.cancel mazda/production/new.user ok",
      "dms connection.get mazda/production/new.user ok",
    ]);
  });

  it("revokes and forgets, each with its audit row", async () => {
    const { world, service, audit } = await createService();
    world.oauth.revocations.answerAtOnce = () => ({ kind: "done" });
    const client = program(everything);
    const ended = [await service.connectionRevoke(client, webfleetKey), await service.connectionForget(client, mazdaKey)];
    expect([ended.map(codeOf), world.vault.connections.size]).toEqual([["ok", "ok"], 0]);
    expect(audit).toEqual([
      "dms connection.revoke webfleet/production/jdoe ok",
      `dms connection.forget mazda/production/${mazdaKey.user} ok`,
    ]);
  });

  it("asks for the broker's status", async () => {
    const { service } = await createService();
    expect(valueOf(await service.brokerStatus(program(everything)))).toEqual({
      version: "1.2.3",
      protocol: 1,
      vault: "open",
      providers: [
        {
          provider: "mazda",
          environment: "production",
          state: "available",
          authorizationEndpoint: "https://mazda.test/authorize",
          tokenEndpoint: "https://mazda.test/token",
        },
        {
          provider: "webfleet",
          environment: "production",
          state: "available",
          authorizationEndpoint: "https://webfleet.test/auth",
          tokenEndpoint: "https://webfleet.test/token",
          revocationEndpoint: "https://webfleet.test/revoke",
        },
      ],
    });
  });

  it("is told the addresses of the registration where it has its own, and that a provider is paused", async () => {
    const { world, service } = await createService();
    const endpoints = { tokenEndpoint: "https://moved.test/token" };
    valueOf(await world.registrations.save([registrationInput({ endpoints })]));
    const lane = { provider: "mazda", environment: "production", providerName: "Mazda" } as const;
    for (let failed = 0; failed < 5; failed += 1) {
      const pass = valueOf(await world.gate.enter(lane, "caller").pass);
      pass.done(failure("provider_busy", { provider: "Mazda", status: 503 }));
    }
    const paused = world.gate.pauseOf("mazda", "production");
    const { providers } = valueOf(await service.brokerStatus(program(everything)));
    expect(providers[0]).toEqual({
      provider: "mazda",
      environment: "production",
      state: "paused",
      nextTryAt: Math.ceil((paused?.nextTryAtMs ?? 0) / 1000),
      authorizationEndpoint: "https://mazda.test/authorize",
      ...endpoints,
    });
    expect(JSON.stringify(providers)).not.toContain("client-secret");
  });
});
