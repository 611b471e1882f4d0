/**
 * The fuzzed broker: all of it, with its real core, vault, log and sign-ins, on a real socket. Stand-ins are its provider, the
 * browser, and what is Electron's alone. Programs, users and secrets are marked, so that each is found wherever it gets to.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { connectToBroker } from "../../clients/node/dms-connect-client.ts";
import { compose } from "../../electron/compose.ts";
import type { Grant } from "../../electron/core/connection-state.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { createLog } from "../../electron/diagnostics/log.ts";
import type { WindowBroker } from "../../electron/ipc/handlers.ts";
import { readStartOptions } from "../../electron/shell/start-options.ts";
import type { Result } from "../../shared/result.ts";
import type { ConnectionView } from "../../shared/views.ts";
import { createFixedKeySafeStorage } from "../crash/fixed-key-safe-storage.ts";
import { childSettings, type FuzzedProgram, settingsVariable } from "./child-contract.ts";
import { answerLooks, type Notes, tell, watchedLog } from "./fuzzed-process.ts";
import { lifetimeSeconds, startFuzzedProvider } from "./fuzzed-provider.ts";
import { approvedNames, programOf, providerOf, secretMarks } from "./marked-secrets.ts";

const { folder } = childSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
/** Each is stored for good: enough to see that it works. */
const mostPaired = 50;
/** At once, so that it meets what is still under way. */
const connectAgainMs = 0;
const owners = ["a", "b"] as const;

const notes: Notes = { bugs: [], logLeaks: [] };
const watched = watchedLog(notes);
const written = createLog({ folder });
const log: typeof written = {
  path: written.path,
  close: written.close,
  info: (event, fields) => {
    watched.info(event, fields);
    written.info(event, fields);
  },
  warn: (event, fields) => {
    watched.warn(event, fields);
    written.warn(event, fields);
  },
  error: (event, error) => {
    watched.error(event, error);
    written.error(event, error);
  },
};
const provider = await startFuzzedProvider();
const pipe = process.platform === "win32" ? `\\\\.\\pipe\\dms-fuzz-${process.pid}` : join(folder, "broker.sock");
process.env["DMS_CONNECT_PIPE"] = pipe;
let approvals = 0;
const application = await compose({
  profileFolder: folder,
  log,
  version: "0.0.0",
  hostName: "fuzz",
  providers: owners.map(definition),
  safeStorage: createFixedKeySafeStorage(randomBytes(32)),
  session: { setCertificateVerifyProc: () => undefined },
  fetch,
  browser: provider.browser,
  sendEvent: () => undefined,
  onPairingRequested: () => setImmediate(decideWaiting),
  startOptions: readStartOptions([]),
});
const broker = valueOf(application.broker());
valueOf(await broker.registrations.save(owners.map(registration)));
const [first, second] = [await program("a"), await program("b")];
const connectedUsers = new Set([...first.users, ...second.users]);
broker.connections.onChanged(connectAgain);
broker.pairings.onChanged(() => setImmediate(closeGone));
answerLooks(notes, () => ({ pairings: broker.pairings.list().length }));
tell({ kind: "ready", address: pipe, programs: [first, second] });

/** A program that may use one provider, whose users are all connected. */
async function program(owner: (typeof owners)[number]): Promise<FuzzedProgram> {
  const session = valueOf(await connectToBroker({ pipe }));
  const access = { users: "all", providers: [providerOf(owner)], requestsPerMinute: 10_000_000 } as const;
  const approve = () => broker.pairings.approve(broker.pairings.list()[0]?.pairingId ?? "", access);
  const { clientId, clientKey } = valueOf(await session.pair({ name: `Program ${owner}`, onCode: () => void approve() }));
  session.close();
  const made = programOf(owner, clientId, clientKey);
  for (const user of made.users) await grant(broker, owner, user);
  return made;
}

/** A person connects whom a program has disconnected. Programs may do so themselves, but not often enough to find all that races with it. */
function connectAgain({ provider: providerId, environment, user, state }: ConnectionView): void {
  const isOver = state === "Forgotten" || state === "NotConnected" || state === "ReconnectRequired";
  if (!isOver || !connectedUsers.has(user)) return;
  // Ends as it ends: whatever it becomes is announced again.
  setTimeout(() => void broker.connectFlow.start({ provider: providerId, environment, user }, undefined), connectAgainMs);
}

/** A person closes the prompts of programs that have gone: what stays is what was forgotten. */
function closeGone(): void {
  for (const { pairingId, isGone } of broker.pairings.list()) if (isGone) broker.pairings.deny(pairingId);
}

function decideWaiting(): void {
  for (const { pairingId, name } of broker.pairings.list()) {
    if (!approvedNames.includes(name)) continue;
    approvals += 1;
    // It may have gone meanwhile, so neither has to succeed.
    if (approvals > mostPaired) broker.pairings.deny(pairingId);
    else void broker.pairings.approve(pairingId, { users: [], providers: [] });
  }
}

/** Gives the user a connection as a sign-in would. */
async function grant({ connections }: WindowBroker, owner: string, user: string): Promise<void> {
  const live = valueOf(await connections.load({ provider: providerOf(owner), environment: "production", user }));
  const nowMs = Date.now();
  const given: Grant = {
    ...provider.tokens(owner, user),
    obtainedAtMs: nowMs,
    accessTokenExpiresAtMs: nowMs + lifetimeSeconds * 1_000,
    grantExpiresAtMs: nowMs + 24 * 3_600_000,
    grantExpiryIsEstimate: true,
  };
  valueOf(await connections.commit(live, live.record?.generation ?? 0, { kind: "Active", grant: given }, {}));
}

function registration(owner: string) {
  return {
    provider: providerOf(owner),
    environment: "production",
    clientId: "fuzz",
    clientSecret: `${secretMarks.clientSecret}${owner}`,
    redirectUris: ["http://127.0.0.1/callback"],
    organisations: ["10030/MMD"],
  } as const;
}

function definition(owner: string): ProviderDefinition {
  return {
    id: providerOf(owner),
    name: "Fuzz",
    environments: { production: provider.endpoints(owner) },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    issuerCheck: "never",
    expiresIn: "seconds",
    deadGrantErrors: ["invalid_grant"],
    grantLifetime: { kind: "estimate", days: 10 },
    keepAliveDays: 5,
    revocation: "rfc7009",
    organisationHeader: "X-mazda-org",
  };
}

/** The value of a result that the fuzzer counts on. */
function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`unexpected failure: ${JSON.stringify(result.error)}`);
  return result.value;
}
