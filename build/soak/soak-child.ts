/**
 * The process of the app under soak: the real broker of `compose`, with stand-ins for what is Electron's alone (safeStorage,
 * session, browser). Invariant: it ends with its parent, and every bug it meets is told before it is written to the log.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type Application, compose } from "../../electron/compose.ts";
import type { ProviderDefinition } from "../../electron/core/provider-definition.ts";
import { createLog, type OpenedLog } from "../../electron/diagnostics/log.ts";
import { logUnhandled } from "../../electron/diagnostics/unhandled.ts";
import { provider as mazda } from "../../electron/oauth/providers/mazda.ts";
import { provider as webfleet } from "../../electron/oauth/providers/webfleet.ts";
import { readStartOptions } from "../../electron/shell/start-options.ts";
import { assertNever, ok } from "../../shared/result.ts";
import { createFixedKeySafeStorage } from "../crash/fixed-key-safe-storage.ts";
import {
  type ChildMessage,
  childSettings,
  clientId,
  clientSecret,
  environment,
  lifeParameter,
  type OfferedProvider,
  type ParentMessage,
  parentMessage,
  providerIds,
  redirectUri,
  settingsVariable,
} from "./child-contract.ts";
import { misbehave, sabotagedFetch } from "./sabotage.ts";

type Wish = Extract<ParentMessage, { readonly kind: "connect" }>;

/** For whom a page is opened: its URL does not say. */
const signingIn = new AsyncLocalStorage<Wish>();
const definitions = { mazda, webfleet } as const;

const settings = childSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
// Without a parent nobody would ever end this process.
process.once("disconnect", () => process.exit(1));
process.env["DMS_CONNECT_PIPE"] = settings.pipe;
const log = tellingLog(createLog({ folder: settings.profileFolder }));
logUnhandled(log);
const application = await openApplication();
process.on("message", (message) => void obey(parentMessage.parse(message)));
await register();
misbehave(settings.sabotages);
const { pipe } = application.status();
tell({ kind: "ready", ...(pipe.state === "listening" ? {} : { failure: pipe.failure.code }) });

async function openApplication(): Promise<Application> {
  const opened: Application = await compose({
    profileFolder: settings.profileFolder,
    log,
    version: "0.0.0",
    hostName: "soak",
    providers: settings.providers.map(definition),
    safeStorage: createFixedKeySafeStorage(Buffer.from(settings.safeStorageKey, "hex")),
    session: { setCertificateVerifyProc: () => undefined },
    // The certificate of the token endpoints is trusted by NODE_EXTRA_CA_CERTS.
    fetch: sabotagedFetch(settings.sabotages, fetch),
    browser: {
      open: async (url) => {
        const wish = signingIn.getStore();
        if (wish === undefined) throw new Error("a page was opened that nobody has asked for");
        tell({ kind: "page", provider: wish.provider, user: wish.user, url });
        return ok();
      },
    },
    sendEvent: () => undefined,
    onPairingRequested: () => setImmediate(approveAll),
    startOptions: readStartOptions([]),
  });
  return opened;
}

/** As in the product, but for where it is. */
function definition({ id, authorizationEndpoint, tokenEndpoint, issuer }: OfferedProvider): ProviderDefinition {
  const endpoint = new URL(tokenEndpoint);
  endpoint.searchParams.set(lifeParameter, String(settings.life));
  const endpoints = { authorizationEndpoint, tokenEndpoint: endpoint.href, ...(issuer === undefined ? {} : { issuer }) };
  return { ...definitions[id], environments: { [environment]: endpoints } };
}

/** At the first start. */
async function register(): Promise<void> {
  const broker = application.broker();
  if (!broker.ok) return;
  const { registrations } = broker.value;
  if (registrations.list().length === providerIds.length) return;
  const saved = await registrations.save(
    providerIds.map((provider) => ({ provider, environment, clientId, clientSecret, redirectUris: [redirectUri], organisations: [] })),
  );
  if (!saved.ok) throw new Error(`registrations were refused with ${saved.error.code}`);
}

function approveAll(): void {
  const broker = application.broker();
  if (!broker.ok) return;
  const { pairings } = broker.value;
  for (const { pairingId } of pairings.list()) void pairings.approve(pairingId, { users: "all", providers: "all" });
}

async function obey(wish: ParentMessage): Promise<void> {
  switch (wish.kind) {
    case "connect":
      return connect(wish);
    case "close":
      await application.close(wish.reason);
      return process.exit(0);
    default:
      return assertNever(wish);
  }
}

async function connect(wish: Wish): Promise<void> {
  const { provider, user } = wish;
  const broker = application.broker();
  const started = broker.ok
    ? await signingIn.run(wish, () => broker.value.connectFlow.start({ provider, environment, user }, undefined))
    : broker;
  if (!started.ok) tell({ kind: "refused", provider, user, failure: started.error.code });
}

/** Level `error` is for bugs only (`Log`), whether somebody caught them or nobody did. */
function tellingLog(written: OpenedLog): OpenedLog {
  return {
    ...written,
    error: (event, error) => {
      tell({ kind: "bug", text: `${event}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
      written.error(event, error);
    },
  };
}

function tell(message: ChildMessage): void {
  // The parent may be gone; then this process is about to end.
  if (process.connected) process.send?.(message);
}
