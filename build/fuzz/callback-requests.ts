/** Requests to the callback address, from a browser's own to what no browser sends. */
import type { Random } from "../crash/random.ts";
import { secretMarks } from "./marked-secrets.ts";
import { mutateBytes } from "./mutate-bytes.ts";

const { code, state: guessed } = secretMarks;
export const callbackPath = "/dms/oauth/code";

export interface Awaited {
  readonly port: string;
  /** The right one, as far as it is known. */
  readonly state: string;
}

/** What a browser sends after a sign-in; the server closes the connection when it has answered. */
export function soundRequest({ port }: Awaited, target: string): Buffer {
  return Buffer.from(
    requestText("GET", target, "HTTP/1.1", [...browserHeaders, ["Host", `127.0.0.1:${port}`], ["Connection", "close"]], ""),
  );
}

export function soundTarget({ state }: Awaited): string {
  return `${callbackPath}?code=${code}1&state=${state}`;
}

/** One mutated request, sometimes two on one connection. */
export function mutatedRequest(awaited: Awaited, random: Random): Buffer {
  const text = oddRequest(awaited, random) + (random.chance(0.1) ? oddRequest(awaited, random) : "");
  const bytes = Buffer.from(text, "latin1");
  return random.chance(0.4) ? mutateBytes(bytes, random) : bytes;
}

type Header = readonly [name: string, value: string];

const browserHeaders: readonly Header[] = [
  ["User-Agent", "Mozilla/5.0"],
  ["Accept", "text/html,application/xhtml+xml"],
  ["Accept-Language", "de-DE,de;q=0.9"],
  ["Sec-Fetch-Dest", "document"],
];

function oddRequest(awaited: Awaited, random: Random): string {
  const method = random.chance(0.8)
    ? "GET"
    : random.pick(["POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "TRACE", "get", "GE T", "", "M-SEARCH"]);
  const version = random.chance(0.9) ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 ", "", "ICY/1.1"]);
  const body = random.chance(0.9) ? "" : random.pick(["x", "0\r\n\r\n", "ffffffffff\r\n", "a=b&state=c", "\0".repeat(3_000)]);
  return requestText(method, oddTarget(awaited, random), version, oddHeaders(awaited, random), body);
}

function oddTarget(awaited: Awaited, random: Random): string {
  const { state } = awaited;
  const path = random.chance(0.8) ? callbackPath : random.pick(paths(awaited));
  const query = random.pick([
    `code=${code}2&state=${state}`,
    `state=${state}`,
    `state=${state}&code=`,
    `state=${state}&code=${code}3&code=${code}4`,
    `state=${state}&error=access_denied&error_description=%3Cscript%3E`,
    `code=${code}5&state=${state}&state=${state}`,
    `code=${code}6&state=${state.slice(0, -1)}`,
    `code=${code}6&state=${state}x`,
    `code=${code}7&STATE=${state}`,
    `code=${code}7&state=${guessed}guess`,
    `code=${code}8&state=%${state}`,
    `code=${code}8&state=${state}%00`,
    `code=%ff%fe&state=%ed%a0%80`,
    `code=${code}9&state[]=${state}&__proto__=1&constructor=2`,
    `${"state=a&".repeat(500)}code=${code}`,
    "",
  ]);
  const target = query === "" ? path : `${path}?${query}`;
  return random.chance(0.01) ? target + "a".repeat(random.pick([8_000, 8_192, 20_000, 70_000])) : target;
}

function paths({ port }: Awaited): readonly [string, ...string[]] {
  return [
    "/",
    "/favicon.ico",
    "/dms/oauth/code/",
    "/dms/oauth/../oauth/code",
    "/dms//oauth/code",
    "/DMS/OAUTH/CODE",
    "/dms/oauth/code;a=b",
    "/dms/oauth/code%00",
    "/dms/oauth/code#",
    "/dms-connect/result/",
    "/dms-connect/result/AAAAAAAAAAAAAAAAAAAAAA",
    "/dms-connect/probe/AAAAAAAAAAAAAAAAAAAAAA",
    "/dms-connect/probe/",
    `http://127.0.0.1:${port}${callbackPath}`,
    `http://evil.example${callbackPath}`,
    "*",
    "",
    "\\dms\\oauth\\code",
    "/\u00e9",
  ];
}

function oddHeaders({ port }: Awaited, random: Random): readonly Header[] {
  const host: Header = ["Host", `127.0.0.1:${port}`];
  if (random.chance(0.6)) return [host, ...browserHeaders];
  return random.pick<readonly Header[]>([
    [],
    [host, host],
    [host, ["Host", "evil.example"]],
    [["Host", "evil.example"]],
    [["Host", `evil.example:${port}`]],
    [["Host", `localhost:${port}`]],
    [["Host", `127.0.0.1:${port}.`]],
    [["Host", `127.0.0.1:${port}@evil.example`]],
    [["Host", ""]],
    [host, ["Sec-Purpose", "prefetch;prerender"]],
    [host, ["X-Moz", "prefetch"]],
    [host, ["Expect", "100-continue"]],
    [host, ["Expect", "a miracle"]],
    [host, ["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Sec-WebSocket-Key", "AAAA"]],
    [host, ["Upgrade", "h2c"], ["HTTP2-Settings", "AAAA"], ["Connection", "Upgrade, HTTP2-Settings"]],
    [host, ["Content-Length", "10"]],
    [host, ["Content-Length", "-1"]],
    [host, ["Content-Length", "99999999999999999999"]],
    [host, ["Transfer-Encoding", "chunked"]],
    [host, ["Transfer-Encoding", "chunked"], ["Content-Length", "3"]],
    [host, ["Transfer-Encoding", "gzip, chunked"]],
    [host, ["Connection", "keep-alive"], ["Keep-Alive", "timeout=1000"]],
    [host, ["Origin", "https://evil.example"], ["Access-Control-Request-Private-Network", "true"]],
    [host, ["Cookie", "a=".repeat(2_000)]],
    [host, ["X-Long", "b".repeat(random.pick([4_000, 17_000, 66_000]))]],
    [host, ...Array.from({ length: 300 }, (_, index): Header => [`X-${index}`, "c"])],
    [host, ["X-Odd\u0001", "d"]],
    [host, ["X-Odd", "e\r\n folded"]],
  ]);
}

function requestText(method: string, target: string, version: string, headers: readonly Header[], body: string): string {
  return `${method} ${target} ${version}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
