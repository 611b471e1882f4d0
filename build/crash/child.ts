/**
 * The process that is killed: the real broker of `compose`, with stand-ins for what is Electron's alone (safeStorage,
 * session, browser). Bundled by `child-bundle.ts`, which puts the stepped vault and pipe server in their places.
 */
import { type Application, compose } from "../../electron/compose.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { createLog } from "../../electron/diagnostics/log.ts";
import { logUnhandled } from "../../electron/diagnostics/unhandled.ts";
import type { WindowBroker } from "../../electron/ipc/handlers.ts";
import { readStartOptions } from "../../electron/shell/start-options.ts";
import { assertNever, ok, type Result } from "../../shared/result.ts";
import type { RegistrationInput } from "../../shared/views.ts";
import {
  type ChildMessage,
  type ChildSettings,
  childSettings,
  clientId,
  environment,
  parentMessage,
  providerId,
  type StartReport,
  settingsVariable,
  type Work,
} from "./child-messages.ts";
import { beginSteps, step } from "./child-steps.ts";
import { createFixedKeySafeStorage } from "./fixed-key-safe-storage.ts";
import { hookDisk } from "./stepped-disk.ts";
import { steppedFetch } from "./stepped-fetch.ts";
import { userSigningIn } from "./stepped-pipe-server.ts";
import { openedVault, setSabotage } from "./stepped-vault.ts";

const settings = childSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
// Without a parent nobody would ever end this process.
process.once("disconnect", () => process.exit(1));
beginSteps(settings);
setSabotage(settings.sabotage);
hookDisk();
step("process-started");
const application = await openApplication(settings);
process.on("message", (message) => void obey(application, message));
tell({ kind: "ready", report: await startReport(application) });

async function openApplication({ profileFolder, pipe, safeStorageKey, providerOrigin, life }: ChildSettings): Promise<Application> {
  process.env["DMS_CONNECT_PIPE"] = pipe;
  const log = createLog({ folder: profileFolder });
  logUnhandled(log);
  const opened: Application = await compose({
    profileFolder,
    log,
    version: "0.0.0",
    hostName: "crash harness",
    providers: [rotatingProvider(providerOrigin, life)],
    safeStorage: createFixedKeySafeStorage(Buffer.from(safeStorageKey, "hex")),
    session: { setCertificateVerifyProc: () => undefined },
    fetch: steppedFetch,
    browser: {
      open: async (url) => {
        void signIn(url, userSigningIn() ?? "");
        return ok();
      },
    },
    sendEvent: () => undefined,
    onPairingRequested: () => {
      const broker = opened.broker();
      if (broker.ok) approveAll(broker.value);
    },
    startOptions: readStartOptions([]),
  });
  return opened;
}

/** Its endpoints tell the provider which run a request comes from, however late it arrives. */
function rotatingProvider(origin: string, life: number): ProviderDefinition {
  return {
    id: providerId,
    name: "Rotating",
    environments: {
      production: {
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token?life=${life}`,
        revocationEndpoint: `${origin}/revoke?life=${life}`,
      },
    },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    issuerCheck: "never",
    expiresIn: "seconds",
    deadGrantErrors: ["invalid_grant"],
    grantLifetime: { kind: "estimate", days: 30 },
    keepAliveDays: 7,
    revocation: "rfc7009",
  };
}

/** What a person at the browser would do. Without a provider or a callback there is simply no sign-in. */
async function signIn(authorizationUrl: string, user: string): Promise<void> {
  const url = new URL(authorizationUrl);
  url.searchParams.set("login_hint", user);
  try {
    const approved = await fetch(url, { redirect: "manual" });
    await fetch(approved.headers.get("location") ?? "");
  } catch {
    // The callback endpoint has closed: the sign-in was ended from outside.
  }
}

function approveAll({ pairings }: WindowBroker): void {
  for (const { pairingId } of pairings.list()) void pairings.approve(pairingId, { users: "all", providers: "all" });
}

async function obey(application: Application, message: unknown): Promise<void> {
  const wanted = parentMessage.parse(message);
  if (wanted.kind === "close") {
    const closing = application.close();
    step("close-begun");
    await closing;
    return process.exit(0);
  }
  const done = await perform(application, wanted);
  if (done.ok) return tell({ kind: "done", work: wanted });
  const { code, params } = done.error;
  tell({ kind: "done", work: wanted, failure: code, problem: String(params["problem"]) });
}

async function perform({ broker, vault }: Application, work: Work): Promise<Result<undefined>> {
  switch (work.kind) {
    case "register": {
      const opened = broker();
      return opened.ok ? opened.value.registrations.save([registration(work.revision)]) : opened;
    }
    case "back-up":
      return (await openedVault()?.backUp()) ?? ok();
    case "rekey":
      return vault.rekey();
    default:
      return assertNever(work);
  }
}

/** Its organisations say which revision it is. */
function registration(revision: number): RegistrationInput {
  return {
    provider: providerId,
    environment,
    clientId,
    clientSecret: "not a secret",
    redirectUris: ["http://127.0.0.1/crash/callback"],
    organisations: [`r${revision}`],
  };
}

async function startReport({ status, broker }: Application): Promise<StartReport> {
  const { vault, pipe, notices } = status();
  const base = {
    ...(vault.state === "open" ? {} : { vaultFailure: vault.failure.code }),
    ...(pipe.state === "listening" ? {} : { pipeFailure: pipe.failure.code }),
    notices: notices.map(({ code }) => code),
  };
  const opened = broker();
  if (!opened.ok) return { ...base, connections: [], clientIds: [], audit: "not opened" };
  const { connections, programs, registrations } = opened.value;
  const views = await connections.list();
  const revision = registrations.list()[0]?.organisations[0]?.slice(1);
  return {
    ...base,
    connections: views.ok
      ? views.value.map(({ user, state, failure }) => ({ user, state, ...(failure === undefined ? {} : { failure: failure.code }) }))
      : [],
    clientIds: programs.list().map((client) => client.clientId),
    ...(revision === undefined ? {} : { registrationRevision: Number(revision) }),
    audit: await auditReport(),
  };
}

/** A chain that was found broken at the opening is mended by a row that says so. */
async function auditReport(): Promise<string> {
  const vault = openedVault();
  const verified = await vault?.verifyAudit();
  const newest = await vault?.listAudit(50);
  if (verified?.ok !== true || newest?.ok !== true) return "not readable";
  if (newest.value.some(({ entry }) => entry.action === "audit.discontinuity")) return "has a discontinuity";
  const { value } = verified;
  return value.kind === "intact" ? "intact" : `${value.problem} at ${value.sequence}`;
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}
