/**
 * Electron's `net.request` on the Chromium host, over Node's http and https: it obeys the session's certificate verify proc and
 * the proxy of the environment, asks for a proxy's password by the `login` event, cancels redirects as Electron does, and reports
 * Chromium's error names.
 */
import { lookup } from "node:dns/promises";
import { EventEmitter } from "node:events";
import type { IncomingMessage as NodeMessage } from "node:http";
import type { AuthInfo, ClientRequest, ClientRequestConstructorOptions, Net } from "electron";
import { environmentProxy } from "../../cli/doctor-proxy.ts";
import { NotImplementedError, standIn } from "./not-implemented.ts";
import { chromiumError } from "./stand-in-net-errors.ts";
import { type Exchange, exchange } from "./stand-in-net-exchange.ts";
import type { ProxyEnvironment } from "./stand-in-net-proxy.ts";
import type { VerifyProc } from "./stand-in-net-tls.ts";

export type { VerifyProc } from "./stand-in-net-tls.ts";

/** Makes `net`. */
export function createStandInNet(verifyProc: () => VerifyProc, environment: ProxyEnvironment = process.env): Net {
  const authMemory = new Map<string, string>();
  const methods: Partial<Net> = {
    request: (options) => standInRequest(options, { verifyProc, environment, authMemory }),
    isOnline: () => true,
    online: true,
    resolveHost: async (host) => {
      const found = await lookup(host.replace(/^\[|\]$/g, ""), { all: true }).catch((error: unknown) => {
        throw chromiumError(error);
      });
      return { endpoints: found.map(({ address, family }) => ({ address, family: family === 6 ? "ipv6" : "ipv4" })) };
    },
  };
  return standIn<Net>("net", methods);
}

interface NetState extends Pick<Exchange, "authMemory"> {
  readonly verifyProc: () => VerifyProc;
  readonly environment: ProxyEnvironment;
}

function standInRequest(
  options: ClientRequestConstructorOptions | string,
  { verifyProc, environment, authMemory }: NetState,
): ClientRequest {
  if (typeof options === "string" || options.url === undefined) throw new NotImplementedError("net.request without a url");
  if (options.redirect !== "manual") throw new NotImplementedError(`net.request with redirect ${options.redirect ?? "follow"}`);
  if (options.credentials !== "omit") throw new NotImplementedError("net.request with the session's credentials");
  const url = new URL(options.url);
  const emitter = new EventEmitter();
  const controller = new AbortController();
  const headers = new Map(Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const run = async (body: Buffer | undefined): Promise<void> => {
    try {
      const message = await exchange({
        url,
        method: options.method ?? "GET",
        headers: Object.fromEntries(headers),
        body,
        signal: controller.signal,
        proxy: environmentProxy(url, environment),
        verifyProc: verifyProc(),
        authMemory,
        logIn: (info) => logIn(emitter, info),
      });
      if (controller.signal.aborted) message.destroy();
      else tellAnswer(emitter, message);
    } catch (error) {
      // An aborted request tells nothing more (lib/common/api/net-client-request.ts).
      if (controller.signal.aborted) return;
      emitter.emit("error", error instanceof NotImplementedError ? error : chromiumError(error));
    }
  };
  const methods: Partial<ClientRequest> = {
    setHeader: (name, value) => void headers.set(name.toLowerCase(), value),
    end: (chunk) => {
      void run(chunk === undefined ? undefined : Buffer.from(chunk));
      return request;
    },
    abort: () => controller.abort(),
  };
  const request = standIn<ClientRequest>("ClientRequest", methods, emitter);
  return request;
}

function tellAnswer(emitter: EventEmitter, message: NodeMessage): void {
  const { statusCode = 0, headers } = message;
  if (headers.location === undefined || ![301, 302, 303, 307, 308].includes(statusCode)) {
    // What `IncomingMessage` of Electron has, Node's has under the same names.
    emitter.emit("response", message);
    return;
  }
  message.destroy();
  emitter.emit("redirect", statusCode, "GET", headers.location, message.headersDistinct);
  // Nobody can follow here; lib/common/api/net-client-request.ts says so for the policy `manual`.
  emitter.emit("error", new Error("Redirect was cancelled"));
}

/** Without a listener the proxy gets no answer (lib/common/api/net-client-request.ts). */
function logIn(emitter: EventEmitter, info: AuthInfo): Promise<{ readonly userName: string; readonly password: string } | undefined> {
  return new Promise((resolve) => {
    const answer = (userName?: string, password?: string): void =>
      resolve(userName === undefined || password === undefined ? undefined : { userName, password });
    if (!emitter.emit("login", info, answer)) answer();
  });
}
