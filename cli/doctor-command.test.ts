import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { writeCredentials } from "../clients/node/credentials-file.ts";
import { type FakeBroker, knownClient, startFakeBroker } from "../electron/pipe/testing/fake-broker.ts";
import { type Run, runProgram } from "../electron/pipe/testing/run-program.ts";
import type { PipeProvider } from "../shared/pipe-protocol.ts";
import { ok } from "../shared/result.ts";

let broker: FakeBroker;
const servers: Server[] = [];
afterEach(async () => {
  await broker.dispose();
  for (const server of servers.splice(0)) server.close();
});

/** A provider on this computer, so that nothing leaves it. */
async function startProvider(listener: RequestListener): Promise<PipeProvider> {
  const server = createServer((request, response) => {
    request.resume();
    listener(request, response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is an object.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const addresses = { authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token` };
  return { provider: "mazda", environment: "production", state: "available", ...addresses };
}

const asOAuthServer: RequestListener = (_request, response) =>
  response.writeHead(401, { "content-type": "application/json" }).end(`{"error":"invalid_client"}`);

async function start(vault: "open" | "locked", providers: readonly PipeProvider[]): Promise<void> {
  broker = await startFakeBroker({ api: { brokerStatus: () => Promise.resolve(ok({ version: "1.2.3", protocol: 1, vault, providers })) } });
}

function credentialsFile(): string {
  return path.join(broker.folder, "dms-connect-cli", "credentials.json");
}

function run(...args: string[]): Promise<Run> {
  const environment = { DMS_CONNECT_PIPE: broker.pipe, XDG_CONFIG_HOME: broker.folder, LOCALAPPDATA: broker.folder };
  return runProgram("cli/dms-connect.ts", ["doctor", ...args], environment);
}

async function runPaired(...args: string[]): Promise<Run> {
  await writeCredentials(credentialsFile(), knownClient);
  return run(...args);
}

describe("dms-connect doctor", () => {
  it("finds nothing wrong when all is well, from the pipe to the provider's clock", async () => {
    await start("open", [await startProvider(asOAuthServer)]);
    const { code, stdout } = await runPaired();
    expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("ok"))).toEqual([]);
    expect(stdout).toContain("mazda (production) is registered");
    expect(stdout).toContain("ok    mazda (production) token endpoint, answer: status 401, invalid_client");
    expect(stdout).toMatch(/ok {4}mazda \(production\) token endpoint, clock: /);
    expect(code).toBe(0);
  });

  it("names the step of the way to a provider that fails, and exits with 1", async () => {
    const portal: RequestListener = (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    await start("open", [await startProvider(portal)]);
    const { code, stdout } = await runPaired();
    expect(stdout).toMatch(/fail {2}mazda \(production\) token endpoint, answer: a page \(status 200\).*\n +What to do: Open any page/);
    expect(stdout).toContain("skip  mazda (production) token endpoint, clock");
    expect(code).toBe(1);
  });

  it("says of a provider that has failed several times when it is tried again", async () => {
    const provider = await startProvider(asOAuthServer);
    await start("open", [{ ...provider, state: "paused", nextTryAt: 2_000_000_000 }]);
    const { code, stdout } = await runPaired();
    expect(stdout).toMatch(
      /fail {2}provider: mazda \(production\) is registered, but has failed several times in a row; .* tries again at \d/,
    );
    expect(stdout).toContain("ok    mazda (production) token endpoint, answer");
    expect(code).toBe(1);
  });

  it("prints the same as JSON for a program", async () => {
    await start("open", [await startProvider(asOAuthServer)]);
    const { code, stdout } = await runPaired("--json");
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as { checks: { outcome: string; name: string; found: string }[] };
    expect(new Set(checks.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(["pipe name", "mazda (production) token endpoint, connection"]));
  });

  it("names what is wrong with DMS Connect and the remedy", async () => {
    await start("locked", []);
    const { code, stdout } = await runPaired();
    expect(code).toBe(1);
    expect(stdout).toMatch(/fail {2}vault: locked\n +What to do: Open DMS Connect/);
    expect(stdout).toMatch(/fail {2}providers: none is registered\n +What to do: Add the registration/);
  });

  it("tells a broker that is not running from one that is not genuine", async () => {
    await start("open", []);
    broker.registry.clients.clear();
    expect((await runPaired()).stdout).toMatch(/ok {4}broker answers[^]*fail {2}genuine/);
    await broker.server.close();
    expect((await run()).stdout).toContain("fail  broker answers: DMS Connect is not running.");
  });

  it.skipIf(process.platform === "win32")("sees credentials that others can read", async () => {
    await start("open", []);
    await writeCredentials(credentialsFile(), knownClient);
    await chmod(credentialsFile(), 0o644);
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout).toContain("can be read by other users");
  });
});
