/**
 * The open ports and who waits on them. Invariant: there is one listener for each scheme, address and
 * port, opened by its first user and stopped by its last.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureContext } from "node:tls";
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { CallbackFlow } from "./callback-flow.ts";
import { type ListenerOptions, type LoopbackCertificate, type LoopbackListener, openListener } from "./loopback-listener.ts";
import type { LoopbackUri } from "./loopback-uri.ts";

export interface SharedListenersOptions extends Pick<ListenerOptions, "probe" | "headersTimeoutMs"> {
  readonly certificate: () => Promise<Result<LoopbackCertificate>>;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse, flows: ReadonlySet<CallbackFlow>) => void;
}

/** One flow's hold on the listeners of its redirect URI. */
export interface SharedListenerUse {
  readonly port: number;
  /** From now on requests are matched with `flow`. */
  readonly join: (flow: CallbackFlow) => void;
  /** Gives the listeners up; call once. */
  readonly leave: (flow: CallbackFlow) => void;
}

type ListenProblem = { readonly kind: "no-address" } | { readonly kind: "failed"; readonly failure: Failure };

interface Entry {
  readonly flows: Set<CallbackFlow>;
  readonly opened: Promise<Result<LoopbackListener, ListenProblem>>;
  users: number;
}

interface Held {
  readonly key: string;
  readonly entry: Entry;
  readonly listener: LoopbackListener;
}

/** The address does not exist here, e.g. no IPv6. */
const noAddressCodes: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"]);
/** Free ports are plenty: a few tries find one that is free on both of localhost's addresses. */
const freePortTries = 5;

export class SharedListeners {
  readonly #options: SharedListenersOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SharedListenersOptions) {
    this.#options = options;
  }

  /** Opens or joins what `uri` needs. Fails with `port_in_use` or `callback_certificate_failed`. */
  async use(uri: LoopbackUri): Promise<Result<SharedListenerUse>> {
    let failed: Failure = portInUse(uri.port);
    for (let tries = uri.port === 0 ? freePortTries : 1; tries > 0; tries -= 1) {
      const held = await this.#holdAll(uri);
      if (held.ok) return ok(this.#asUse(held.value));
      failed = held.error;
    }
    return err(failed);
  }

  #asUse(held: readonly [Held, ...Held[]]): SharedListenerUse {
    return {
      port: held[0].listener.port,
      join: (flow) => {
        for (const { entry } of held) entry.flows.add(flow);
      },
      leave: (flow) => {
        for (const hold of held) {
          hold.entry.flows.delete(flow);
          this.#letGo(hold);
        }
      },
    };
  }

  async #holdAll(uri: LoopbackUri): Promise<Result<readonly [Held, ...Held[]]>> {
    const first = await this.#hold(uri.scheme, uri.host === "[::1]" ? "::1" : "127.0.0.1", uri.port);
    if (!first.ok) return err(asFailure(first.error, uri.port));
    if (uri.host !== "localhost") return ok([first.value]);
    // Browsers may try ::1 first for localhost: if another program has it there, the answer would go to that one.
    const second = await this.#hold(uri.scheme, "::1", first.value.listener.port);
    if (second.ok) return ok([first.value, second.value]);
    if (second.error.kind === "no-address") return ok([first.value]);
    this.#letGo(first.value);
    return err(second.error.failure);
  }

  async #hold(scheme: "http" | "https", address: "127.0.0.1" | "::1", port: number): Promise<Result<Held, ListenProblem>> {
    const key = `${scheme} ${address} ${port}`;
    const entry = (port === 0 ? undefined : this.#entries.get(key)) ?? this.#open(scheme, address, port);
    // Counted before the await: a listener that is still opening must not be stopped by another's leaving.
    entry.users += 1;
    if (port !== 0) this.#entries.set(key, entry);
    const opened = await entry.opened;
    if (!opened.ok) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      return opened;
    }
    const boundKey = `${scheme} ${address} ${opened.value.port}`;
    this.#entries.set(boundKey, entry);
    return ok({ key: boundKey, entry, listener: opened.value });
  }

  #open(scheme: "http" | "https", address: "127.0.0.1" | "::1", port: number): Entry {
    const flows = new Set<CallbackFlow>();
    return { flows, users: 0, opened: this.#listen(scheme, address, port, flows) };
  }

  async #listen(
    scheme: "http" | "https",
    address: "127.0.0.1" | "::1",
    port: number,
    flows: ReadonlySet<CallbackFlow>,
  ): Promise<Result<LoopbackListener, ListenProblem>> {
    const { probe, headersTimeoutMs, onRequest } = this.#options;
    const certificate = scheme === "https" ? await this.#options.certificate() : ok();
    if (!certificate.ok || !isUsable(certificate.value)) return err({ kind: "failed", failure: failure("callback_certificate_failed") });
    const opened = await openListener({
      scheme,
      address,
      port,
      certificate: certificate.value,
      probe,
      headersTimeoutMs,
      onRequest: (request, response) => onRequest(request, response, flows),
    });
    if (opened.ok) return opened;
    // EACCES too: Windows says so for ports in an excluded range.
    return err(noAddressCodes.has(opened.error) ? { kind: "no-address" } : { kind: "failed", failure: portInUse(port) });
  }

  #letGo({ key, entry, listener }: Held): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#entries.delete(key);
    listener.stop();
  }
}

/** TLS throws at a damaged certificate or a key that is not its own. */
function isUsable(certificate: LoopbackCertificate | undefined): boolean {
  if (certificate === undefined) return true;
  try {
    createSecureContext({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    return true;
  } catch {
    return false;
  }
}

function asFailure(problem: ListenProblem, port: number): Failure {
  return problem.kind === "failed" ? problem.failure : portInUse(port);
}

function portInUse(port: number): Failure {
  return failure("port_in_use", { port });
}
