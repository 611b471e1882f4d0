/** What a browser does at the callback address, done with Node's own client, and what it must not find there. */
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";

export interface BrowserAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface BrowserRequest {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Trusted for https. */
  readonly ca?: string;
  /** Connect here whatever the URL's host is. */
  readonly address?: string;
  /** Called once the server has taken the request: it is asked to say so (RFC 9110 section 10.1.1). */
  readonly onTaken?: () => void;
}

/** Sends one request and reads its answer; redirects are not followed. */
export async function browse(url: string, options: BrowserRequest = {}): Promise<BrowserAnswer> {
  const { hostname, port, protocol } = new URL(url);
  const { onTaken } = options;
  const target = {
    host: options.address ?? hostname.replace(/^\[|\]$/g, ""),
    port,
    // Not `pathname`, which would tidy up what a test wants to send.
    path: url.slice(url.indexOf("/", "https://".length)),
    method: options.method ?? "GET",
    headers: { Host: new URL(url).host, ...(onTaken === undefined ? {} : { Expect: "100-continue" }), ...options.headers },
    agent: false,
  };
  const request = protocol === "https:" ? httpsRequest({ ...target, ca: options.ca ?? [], servername: "" }) : httpRequest(target);
  request.on("continue", () => onTaken?.());
  const { promise, resolve, reject } = Promise.withResolvers<BrowserAnswer>();
  request.on("error", reject);
  request.on("response", (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
    });
    response.on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
  });
  request.end();
  return promise;
}

/** Follows the redirect of a callback to the page that waits for the result. */
export async function browseCallback(url: string, options: BrowserRequest = {}): Promise<BrowserAnswer> {
  const answer = await browse(url, options);
  return answer.headers.location === undefined ? answer : browse(answer.headers.location, options);
}

/** Whether anything accepts connections there. */
export async function isListening(port: number, host = "127.0.0.1"): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
