/** A revocation that the provider cannot confirm goes on in the next run of the app: the whole broker against the stand-in of Webfleet. */
import { describe, expect, it, onTestFinished } from "vitest";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { startWebfleetServer, type WebfleetServer } from "../e2e/providers/webfleet-server.ts";
import type { ConnectionView } from "../shared/views.ts";
import { provider as webfleet } from "./oauth/providers/webfleet.ts";
import { type ComposedBroker, newProfile, openBroker, openSession, pairProgram, valueOf } from "./testing/composed-broker.ts";

const clientSecret = "s3cret:+%ä word";
const redirectUri = "http://127.0.0.1/webfleet/callback";
const key = { provider: "webfleet", environment: "production", user: "jane.roe" } as const;

async function startProvider(): Promise<WebfleetServer> {
  const clients = [{ clientId: "dms", clientSecret, redirectUris: [redirectUri], applicationName: "DMS" }];
  const server = await startWebfleetServer({ clients });
  onTestFinished(() => server.close());
  return server;
}

/** Settles with the next announced view of the connection that fits. */
function announced({ broker }: ComposedBroker, state: ConnectionView["state"]): Promise<ConnectionView> {
  return new Promise((resolve) => {
    onTestFinished(broker.connections.onChanged((view) => view.state === state && resolve(view)));
  });
}

async function connect(app: ComposedBroker): Promise<void> {
  const connected = announced(app, "Active");
  valueOf(await app.broker.connectFlow.start(key, undefined));
  await requestLoopback(await answerConsent(app.openedUrls.at(-1) ?? "", { decision: "approve" }));
  await connected;
}

async function auditRows({ broker }: ComposedBroker): Promise<readonly (readonly [string, string])[]> {
  const { rows } = valueOf(await broker.auditLog.pageAudit({ limit: 200 }));
  return rows.map(({ action, outcome }) => [action, outcome] as const).toReversed();
}

describe("a revocation", () => {
  it("waits through a restart for a provider that answers 503, and is done when that one is back", async () => {
    const server = await startProvider();
    const profile = newProfile();
    const endpoints = {
      authorizationEndpoint: server.authorizeUrl,
      tokenEndpoint: server.tokenUrl,
      revocationEndpoint: server.revocationUrl,
    };
    const definition = { ...webfleet, environments: { production: { ...endpoints, issuer: server.issuer } } };
    const first = await openBroker(profile, definition);
    const { provider, environment } = key;
    const registration = { provider, environment, clientId: "dms", clientSecret, redirectUris: [redirectUri], organisations: [] };
    valueOf(await first.broker.registrations.save([registration]));
    await connect(first);
    const credentials = await pairProgram(profile, first.broker);
    const program = await openSession(profile, credentials);
    const { expiresAt } = valueOf(await program.tokenGet(key));

    server.behaviour.revocationStatus = 503;
    const revoked = await first.broker.revocation.revoke(key);
    expect(revoked).toMatchObject({ ok: false, error: { code: "revocation_pending" } });
    expect(await program.tokenGet(key)).toMatchObject({ ok: false, error: { code: "not_connected" } });
    await first.close();

    const second = await openBroker(profile, definition);
    expect(valueOf(await second.broker.connections.list())).toMatchObject([{ state: "Revoking", failure: { code: "revocation_pending" } }]);
    const again = await openSession(profile, credentials);
    expect(await again.tokenGet(key)).toMatchObject({ ok: false, error: { code: "not_connected" } });
    const { record } = valueOf(await second.broker.connections.load(key));
    const accessTokenExpiresAtMs = record?.state.kind === "Revoking" ? record.state.grant.accessTokenExpiresAtMs : 0;
    expect([Math.floor(accessTokenExpiresAtMs / 1000), server.counters().revocations]).toEqual([expiresAt, 0]);
    await second.close();

    server.behaviour.revocationStatus = null;
    const third = await openBroker(profile, definition);
    await expect.poll(async () => valueOf(await third.broker.connections.list()), { timeout: 10_000 }).toEqual([]);
    expect(server.counters().revocations).toBe(1);
    const rows = await auditRows(third);
    expect(rows).toContainEqual(["revoke.copies_end", new Date(accessTokenExpiresAtMs).toISOString()]);
    expect(rows.findLast(([action]) => action === "revoke")).toEqual(["revoke", "ok"]);
  });
});
