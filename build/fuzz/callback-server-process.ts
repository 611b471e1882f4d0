/**
 * The fuzzed callback endpoint: the real one on real TCP ports, one of them with TLS. On each, one sign-in keeps the port
 * open and never ends; another waits for its callback, gets it, and is followed by the next.
 */
import { randomBytes } from "node:crypto";
import type { CallbackEndpoint, PendingCallback } from "../../electron/core/ports.ts";
import { makeLoopbackCertificate } from "../../electron/oauth/loopback-certificate.ts";
import { createCallbackEndpoint } from "../../electron/oauth/loopback-server.ts";
import { failure } from "../../shared/failure.ts";
import { ok } from "../../shared/result.ts";
import { callbackPath } from "./callback-requests.ts";
import { childSettings, settingsVariable } from "./child-contract.ts";
import { answerLooks, misbehave, type Notes, tell, watchedLog } from "./fuzzed-process.ts";
import { secretMarks } from "./marked-secrets.ts";

const { sabotage } = childSettings.parse(JSON.parse(process.env[settingsVariable] ?? ""));
/** Before the browser asks for the page, while it waits, and after it has given up. */
const endsAfterMs = [0, 0, 5, 250] as const;
const notes: Notes = { bugs: [], logLeaks: [] };
const log = watchedLog(notes);
const certificate = await makeLoopbackCertificate(Date.now());
const endpoint: CallbackEndpoint = createCallbackEndpoint({
  certificate: async () => ok(certificate),
  log: {
    ...log,
    info: (event, fields) => {
      log.info(event, fields);
      if (fields?.["code"] === "callback_wrong_method") misbehave(sabotage, log);
    },
  },
  // A browser that got the redirect asks at once, or never.
  resultWaitMs: 200,
  headersTimeoutMs: 500,
  resultGraceMs: 20,
});

const [plain, secure] = [await keep("http"), await keep("https")];
let number = 0;
void signInForEver(plain, false);
void signInForEver(secure, true);
answerLooks(notes, () => ({}));
tell({ kind: "ready", address: portOf(plain), secureAddress: portOf(secure) });

/** Keeps a port open, with a sign-in that nobody can end. */
async function keep(scheme: "http" | "https"): Promise<string> {
  const keeper = await listen(`${scheme}://127.0.0.1${callbackPath}`);
  void keeper.receive(newState(), "Keeper").then(() => notes.bugs.push("a callback without the right state was taken"));
  return keeper.redirectUri;
}

async function signInForEver(redirectUri: string, isSecure: boolean): Promise<never> {
  for (;;) {
    const pending = await listen(redirectUri);
    const state = newState();
    const providerName = sabotage === "leak-secret" ? state : "Webfleet";
    const received = pending.receive(state, providerName);
    tell({ kind: "state", isSecure, state });
    const query = await received;
    const isWhole = query.get("state") === state && query.getAll("code").length + query.getAll("error").length > 0;
    if (!isWhole) notes.bugs.push("a wrong callback was taken");
    number += 1;
    // Nobody waits for it: the next sign-in begins meanwhile.
    setTimeout(end, endsAfterMs[number % endsAfterMs.length], pending, number, providerName);
  }
}

function end(pending: PendingCallback, of: number, providerName: string): void {
  if (of % 7 === 0) pending.close();
  else if (of % 5 === 0) pending.finish({ kind: "failed", failure: failure("grant_dead", { provider: providerName }) });
  else pending.finish({ kind: "connected", providerName, user: `user ${of}` });
}

async function listen(redirectUri: string): Promise<PendingCallback> {
  const listening = await endpoint.listen([redirectUri]);
  if (!listening.ok) throw new Error(listening.error.message);
  return listening.value;
}

function newState(): string {
  return secretMarks.state + randomBytes(16).toString("base64url");
}

function portOf(redirectUri: string): string {
  return new URL(redirectUri).port;
}
