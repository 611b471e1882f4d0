/** The whole broker without a window: real vault, real pipe, real callback endpoint, real authorization server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { connectToBroker } from "../clients/node/dms-connect-client.ts";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { type MazdaServer, startMazdaServer } from "../e2e/providers/mazda-server.ts";
import { ok } from "../shared/result.ts";
import { type Application, compose } from "./compose.ts";
import type { ProviderDefinition } from "./core/provider-definition.ts";
import { createLog } from "./diagnostics/log.ts";
import { readStartOptions } from "./shell/start-options.ts";
import { FakeSafeStorage } from "./vault/testing/fake-key-places.ts";

// electron-store asks the electron package where its binary is, which would start a download.
vi.hoisted(() => {
  process.env["ELECTRON_OVERRIDE_DIST_PATH"] ??= "/nowhere";
});

const clientSecret = "s3cret:+%ä word";
const redirectUri = "http://127.0.0.1/parts/callback";
const endings: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of endings.splice(0).toReversed()) await end();
});

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

async function start(provider: ProviderDefinition, opened: string[]): Promise<Application> {
  const profileFolder = mkdtempSync(join(tmpdir(), "dms-connect-"));
  endings.push(() => rmSync(profileFolder, { recursive: true, force: true }));
  vi.stubEnv(
    "DMS_CONNECT_PIPE",
    process.platform === "win32" ? `\\\\.\\pipe\\dms-connect-${process.pid}` : join(profileFolder, "pipe.sock"),
  );
  const log = createLog({ folder: profileFolder });
  const application = await compose({
    profileFolder,
    log,
    version: "0.0.0",
    hostName: "test",
    providers: [provider],
    safeStorage: new FakeSafeStorage(),
    session: { setCertificateVerifyProc: () => undefined },
    fetch,
    browser: { open: async (url) => ok(void opened.push(url)) },
    sendEvent: () => undefined,
    onPairingRequested: () => undefined,
    startOptions: readStartOptions([]),
  });
  endings.push(async () => {
    await application.close();
    log.close();
  });
  return application;
}

describe("a third, invented provider", () => {
  it("needs one definition object to be connected and served", async () => {
    const clients = [{ clientId: "acme", clientSecret, redirectUris: [redirectUri], applicationName: "MACS7" }];
    const server = await startMazdaServer({ protocol: "http", clients, users: [{ id: "joe", name: "Joe" }] });
    endings.push(() => server.close());
    const opened: string[] = [];
    const application = await start(acmeParts(server), opened);
    const broker = valueOf(application.broker());
    const registration = { provider: "acme-parts", environment: "production", clientId: "acme", redirectUris: [redirectUri] } as const;
    valueOf(await broker.registrations.save([{ ...registration, clientSecret, organisations: ["north"] }]));

    const connected = new Promise((resolve) => broker.connections.onChanged(({ state }) => state === "Active" && resolve(state)));
    valueOf(await broker.connectFlow.start({ provider: "acme-parts", environment: "production", user: "joe" }, "north"));
    await requestLoopback(await answerConsent(opened[0] ?? "", { decision: "approve" }));
    await connected;

    const session = valueOf(await connectToBroker());
    endings.push(() => session.close());
    const paired = session.pair({ name: "Test DMS", onCode: () => void approve(broker) });
    valueOf(await paired);
    const token = valueOf(await session.tokenGet({ provider: "acme-parts", user: "joe" }));
    expect(token.headers).toEqual({ Authorization: `Bearer ${token.accessToken}`, "X-Acme-Branch": "north" });
    expect(server.issuedSecrets()).toContain(token.accessToken);
  });
});

async function approve({ pairings }: { readonly pairings: import("./core/pairing.ts").Pairings }): Promise<void> {
  const [waiting] = pairings.list();
  await pairings.approve(waiting?.pairingId ?? "", { users: "all", providers: "all" });
}

function valueOf<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T {
  if (!result.ok) throw new Error(`unexpected failure: ${JSON.stringify(result.error)}`);
  return result.value;
}
