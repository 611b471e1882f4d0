/** The whole broker without a window: real vault, real pipe, real callback endpoint, real authorization server. */
import { describe, expect, it, onTestFinished } from "vitest";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { type MazdaServer, startMazdaServer } from "../e2e/providers/mazda-server.ts";
import type { ProviderDefinition } from "./core/provider-definition.ts";
import { newProfile, openBroker, openSession, pairProgram, valueOf } from "./testing/composed-broker.ts";

const clientSecret = "s3cret:+%ä word";
const redirectUri = "http://127.0.0.1/parts/callback";

/** Everything that makes up a provider. */
function acmeParts(server: MazdaServer): ProviderDefinition {
  return {
    id: "acme-parts",
    name: "Acme Parts",
    environments: { production: { authorizationEndpoint: server.authorizeUrl, tokenEndpoint: server.tokenUrl } },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    issuerCheck: "never",
    expiresIn: "seconds",
    deadGrantErrors: ["invalid_grant"],
    grantLifetime: { kind: "estimate", days: 10 },
    keepAliveDays: 5,
    revocation: "none",
    organisationHeader: "X-Acme-Branch",
  };
}

describe("a third, invented provider", () => {
  it("needs one definition object to be connected and served", async () => {
    const clients = [{ clientId: "acme", clientSecret, redirectUris: [redirectUri], applicationName: "MACS7" }];
    const server = await startMazdaServer({ protocol: "http", clients, users: [{ id: "joe", name: "Joe" }] });
    onTestFinished(() => server.close());
    const profile = newProfile();
    const { broker, openedUrls } = await openBroker(profile, acmeParts(server));
    const registration = { provider: "acme-parts", environment: "production", clientId: "acme", redirectUris: [redirectUri] } as const;
    valueOf(await broker.registrations.save([{ ...registration, clientSecret, organisations: ["north"] }]));

    const connected = new Promise((resolve) => broker.connections.onChanged(({ state }) => state === "Active" && resolve(state)));
    valueOf(await broker.connectFlow.start({ provider: "acme-parts", environment: "production", user: "joe" }, "north"));
    await requestLoopback(await answerConsent(openedUrls[0] ?? "", { decision: "approve" }));
    await connected;

    const session = await openSession(profile, await pairProgram(profile, broker));
    const token = valueOf(await session.tokenGet({ provider: "acme-parts", user: "joe" }));
    expect(token.headers).toEqual({ Authorization: `Bearer ${token.accessToken}`, "X-Acme-Branch": "north" });
    expect(server.issuedSecrets()).toContain(token.accessToken);
  });
});
