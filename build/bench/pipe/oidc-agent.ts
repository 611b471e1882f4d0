/**
 * oidc-agent (Debian's package `oidc-agent-cli`) with one loaded account and a cached token of 1.2 kB, in a throw-away home,
 * set up without a person. Its own programs encrypt what they say to it (`connect-clients.c`); it takes plain JSON, too, one
 * object a connection, which it closes.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { promisify } from "node:util";
import { z } from "zod";
import { keepOnCore } from "./cores.ts";
import { newAccessToken } from "./token-text.ts";

export interface OidcAgent {
  readonly account: string;
  /** What its own programs need in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Connects, asks in plain JSON and gets the cached token. Rejects if there is none. */
  readonly fetchToken: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const run = promisify(execFile);
const account = "bench";
const request = JSON.stringify({ request: "access_token", account, min_valid_period: 0 });

/** Starts one in `folder`. Undefined where it is not installed. */
export async function startOidcAgent(folder: string): Promise<OidcAgent | undefined> {
  const home = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder };
  const printed = await run("oidc-agent", ["--json", "--no-autoload", "--quiet"], { env: home }).catch(() => undefined);
  if (printed === undefined) return undefined;
  const { socket, dpid } = z.object({ socket: z.string(), dpid: z.coerce.string() }).parse(JSON.parse(printed.stdout));
  for (const processId of await familyOf(dpid)) keepOnCore("servers", processId);
  const environment = { OIDC_SOCK: socket, OIDCD_PID: dpid };
  const env = { ...home, ...environment };
  const provider = await startDiscoverableProvider();
  const close = async () => {
    await run("oidc-agent", ["-k"], { env });
    await provider.close();
  };
  const generated = await run("oidc-gen", generateArguments(provider.issuer), { env }).catch(() => undefined);
  if (generated !== undefined) return { account, environment, fetchToken: () => fetchToken(socket), close };
  await close();
  return undefined;
}

/** The agent works in two processes. */
async function familyOf(processId: string): Promise<readonly number[]> {
  const children = await readFile(`/proc/${processId}/task/${processId}/children`, "utf8").catch(() => "");
  return [processId, ...children.trim().split(" ")].map(Number).filter((id) => id > 0);
}

function generateArguments(issuer: string): readonly string[] {
  return [
    account,
    `--iss=${issuer}`,
    "--client-id=bench",
    "--client-secret=bench",
    "--redirect-uri=http://localhost:4242",
    "--scope=openid offline_access",
    "--rt=first",
    "--pw-cmd=echo bench",
    "--flow=refresh",
    "--prompt=none",
    "--confirm-yes",
  ];
}

function fetchToken(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let answer = "";
    socket.write(request);
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
      if (!answer.trimEnd().endsWith("}")) return;
      socket.destroy();
      if (answer.includes('"access_token"')) resolve();
      else reject(new Error("oidc-agent answered without a token"));
    });
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("oidc-agent closed without an answer")));
  });
}

async function startDiscoverableProvider() {
  const server = createServer((incoming, response) => {
    response.setHeader("content-type", "application/json");
    const isDiscovery = incoming.url?.endsWith("openid-configuration") === true;
    incoming.resume().on("end", () => response.end(JSON.stringify(isDiscovery ? configuration(issuer) : tokens())));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const issuer = `http://127.0.0.1:${port}/`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { issuer, close };
}

function configuration(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}authorize`,
    token_endpoint: `${issuer}token`,
    scopes_supported: ["openid", "offline_access"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    response_types_supported: ["code"],
  };
}

function tokens(): object {
  return {
    access_token: newAccessToken(),
    token_type: "Bearer",
    expires_in: 86_400,
    refresh_token: "next",
    scope: "openid offline_access",
  };
}
