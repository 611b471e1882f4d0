/**
 * Where the browser comes back to (RFC 8252 section 7.3). Invariant: a port is open only while a sign-in
 * waits on it, on loopback addresses only, and sign-ins that share a port never get each other's callback.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Failure, failure } from "../../shared/failure.ts";
import { assertNever, err, ok, type Result } from "../../shared/result.ts";
import type { CallbackEndpoint, Log, PendingCallback } from "../core/ports.ts";
import { CallbackFlow } from "./callback-flow.ts";
import { failurePage } from "./callback-page.ts";
import { judgeRequest } from "./callback-request.ts";
import { sendPage, sendSeeOther } from "./callback-response.ts";
import type { LoopbackCertificate } from "./loopback-listener.ts";
import { type Probe, probeListener } from "./loopback-probe.ts";
import { authority, type LoopbackUri, parseLoopbackUri, uriWithPort } from "./loopback-uri.ts";
import { SharedListeners, type SharedListenerUse } from "./shared-listeners.ts";

export interface CallbackEndpointOptions {
  /** Asked for each https listener that is opened. */
  readonly certificate: () => Promise<Result<LoopbackCertificate>>;
  readonly log?: Log;
  /** How long a browser's request for the result may wait; 60 seconds. */
  readonly resultWaitMs?: number;
  /** How long a result is kept for a browser that has not asked yet; 5 seconds. */
  readonly resultGraceMs?: number;
  /** A client that has not sent its headers by then is cut; 10 seconds. */
  readonly headersTimeoutMs?: number;
  /** Proves that an opened port is really ours. */
  readonly probe?: Probe;
}

/** Makes the endpoint that all sign-ins share. It opens nothing until asked to listen. */
export function createCallbackEndpoint(options: CallbackEndpointOptions): CallbackEndpoint {
  const listeners = new SharedListeners({
    certificate: options.certificate,
    probe: options.probe ?? probeListener,
    headersTimeoutMs: options.headersTimeoutMs ?? 10_000,
    onRequest: (request, response, flows) => answer(request, response, flows, options.log),
  });
  return { listen: (redirectUris) => listenOnFirst(redirectUris, listeners, options) };
}

async function listenOnFirst(
  redirectUris: readonly string[],
  listeners: SharedListeners,
  options: CallbackEndpointOptions,
): Promise<Result<PendingCallback>> {
  let firstFailure: Failure | undefined;
  for (const uri of redirectUris.flatMap((text) => parseLoopbackUri(text) ?? [])) {
    const used = await listeners.use(uri);
    if (used.ok) {
      options.log?.info("callback.listening", { scheme: uri.scheme, host: uri.host, port: used.value.port });
      return ok(pendingCallback(uri, used.value, options));
    }
    options.log?.warn("callback.not_listening", { scheme: uri.scheme, port: uri.port, code: used.error.code });
    firstFailure ??= used.error;
  }
  const noneIsLoopback = failure("registration_invalid", { field: "redirectUris", problem: "none is an address of this computer" });
  return err(firstFailure ?? noneIsLoopback);
}

function pendingCallback(uri: LoopbackUri, used: SharedListenerUse, options: CallbackEndpointOptions): PendingCallback {
  const flow = new CallbackFlow({
    scheme: uri.scheme,
    authority: authority(uri, used.port),
    path: uri.path,
    resultWaitMs: options.resultWaitMs ?? 60_000,
    resultGraceMs: options.resultGraceMs ?? 5_000,
    release: () => {
      used.leave(flow);
      options.log?.info("callback.left", { port: used.port });
    },
  });
  used.join(flow);
  return {
    redirectUri: uriWithPort(uri, used.port),
    receive: (state, providerName) => flow.receive(state, providerName),
    finish: (outcome) => flow.finish(outcome),
    close: () => flow.close(),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, flows: ReadonlySet<CallbackFlow>, log: Log | undefined): void {
  const judgement = judgeRequest(request, flows);
  switch (judgement.kind) {
    case "callback":
      return sendSeeOther(response, judgement.flow.accept(judgement.query));
    case "result":
      return judgement.flow.answerResult(response);
    case "refused":
      log?.info("callback.refused", { code: judgement.failure.code });
      return sendPage(response, judgement.status, failurePage(judgement.failure), judgement.headers);
    default:
      return assertNever(judgement);
  }
}
