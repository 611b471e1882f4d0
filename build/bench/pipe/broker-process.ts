/**
 * The broker of the bench: `compose` with its real vault, core and pipe in one process; stand-ins only for what is
 * Electron's alone. Started by `processes.ts`.
 */
import { randomBytes } from "node:crypto";
import { type Credentials, connectToBroker } from "../../../clients/node/dms-connect-client.ts";
import { compose } from "../../../electron/compose.ts";
import type { Grant } from "../../../electron/core/connection-state.ts";
import type { ProviderDefinition } from "../../../electron/core/provider-definition.ts";
import { createLog } from "../../../electron/diagnostics/log.ts";
import type { WindowBroker } from "../../../electron/ipc/handlers.ts";
import { readStartOptions } from "../../../electron/shell/start-options.ts";
import { ok, type Result } from "../../../shared/result.ts";
import { createFixedKeySafeStorage } from "../../crash/fixed-key-safe-storage.ts";
import { type BrokerSettings, brokerSettings, type ChildMessage, parentMessage, settingsVariable } from "./child-contract.ts";
import { newAccessToken } from "./token-text.ts";

const settings = brokerSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
// Without a parent nobody would ever end this process.
process.once("disconnect", () => process.exit(1));
process.env["DMS_CONNECT_PIPE"] = settings.pipe;
const log = createLog({ folder: settings.profileFolder });
const application = await compose({
  profileFolder: settings.profileFolder,
  log,
  version: "0.0.0",
  hostName: "bench",
  providers: [benchProvider(settings)],
  safeStorage: createFixedKeySafeStorage(randomBytes(32)),
  session: { setCertificateVerifyProc: () => undefined },
  fetch,
  browser: { open: async () => ok() },
  sendEvent: () => undefined,
  onPairingRequested: () => undefined,
  startOptions: readStartOptions([]),
});
const broker = valueOf(application.broker());
valueOf(await broker.registrations.save([registration()]));
for (const user of settings.users) await grant(user, 60 * 60_000);
const credentials: Credentials[] = [];
for (let count = 0; count < settings.programs; count += 1) credentials.push(await pair(broker));
process.on("message", (message) => void obey(message));
tell({ kind: "ready", credentials });

async function obey(message: unknown): Promise<void> {
  const wanted = parentMessage.parse(message);
  if (wanted.kind === "expire") {
    await grant(wanted.user, -1_000);
    return tell({ kind: "expired" });
  }
  if (wanted.kind === "measure") {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return tell({ kind: "measured", memory: { rss, heapUsed, external } });
  }
  await application.close();
  log.close();
  process.exit(0);
}

/** Gives the user a connection, or its connection another token, as a sign-in would. */
async function grant(user: string, lastsMs: number): Promise<void> {
  const live = valueOf(await broker.connections.load({ provider: "bench", environment: "production", user }));
  const nowMs = Date.now();
  const given: Grant = {
    accessToken: newAccessToken(),
    refreshToken: newAccessToken(),
    obtainedAtMs: nowMs - 60_000,
    accessTokenExpiresAtMs: nowMs + lastsMs,
    grantExpiresAtMs: nowMs + 24 * 60 * 60_000,
    grantExpiryIsEstimate: true,
  };
  const besides = { organisation: "10030/MMD" };
  valueOf(await broker.connections.commit(live, live.record?.generation ?? 0, { kind: "Active", grant: given }, besides));
}

async function pair({ pairings }: WindowBroker): Promise<Credentials> {
  // Requests are counted, as everywhere, but none is too much.
  const access = { users: "all", providers: "all", requestsPerMinute: 10_000_000 } as const;
  const session = valueOf(await connectToBroker({ pipe: settings.pipe }));
  const approve = () => pairings.approve(pairings.list()[0]?.pairingId ?? "", access);
  const paired = await session.pair({ name: "Bench DMS", onCode: () => void approve() });
  session.close();
  return valueOf(paired);
}

function registration() {
  return {
    provider: "bench",
    environment: "production",
    clientId: "bench",
    clientSecret: "bench-secret",
    redirectUris: ["http://127.0.0.1/callback"],
    organisations: ["10030/MMD"],
  } as const;
}

function benchProvider({ tokenEndpoint }: BrokerSettings): ProviderDefinition {
  return {
    id: "bench",
    name: "Bench",
    environments: { production: { authorizationEndpoint: tokenEndpoint, tokenEndpoint } },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    issuerCheck: "never",
    expiresIn: "seconds",
    deadGrantErrors: ["invalid_grant"],
    grantLifetime: { kind: "estimate", days: 10 },
    keepAliveDays: 5,
    revocation: "none",
    organisationHeader: "X-mazda-org",
  };
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

/** The value of a result that the bench counts on. */
function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`unexpected failure: ${JSON.stringify(result.error)}`);
  return result.value;
}
