import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  type FakeBroker,
  type FakeBrokerOptions,
  knownClient,
  someConnection,
  someToken,
  startFakeBroker,
} from "../../electron/pipe/testing/fake-broker.ts";
import { type RunningProgram, startProgram } from "../../electron/pipe/testing/run-program.ts";
import { failure } from "../../shared/failure.ts";
import type { PipeConnection } from "../../shared/pipe-protocol.ts";
import { err, ok } from "../../shared/result.ts";
import { writeCredentials } from "./credentials-file.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Surroundings {
  readonly broker: FakeBroker;
  readonly received: IncomingHttpHeaders[];
  readonly credentialsFile: string;
  readonly start: (...options: string[]) => RunningProgram;
}

/** A broker, and an API that answers `statuses` one after the other. */
async function surroundings(statuses: readonly number[], options: FakeBrokerOptions = {}): Promise<Surroundings> {
  const broker = await startFakeBroker(options);
  cleanups.push(broker.dispose);
  const received: IncomingHttpHeaders[] = [];
  const api = createServer((request, response) => {
    received.push(request.headers);
    response.writeHead(statuses[received.length - 1] ?? 500).end();
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  cleanups.push(() => api.close());
  const { port } = api.address() as AddressInfo; // a TCP server's address is no string
  const credentialsFile = path.join(broker.folder, "sample.json");
  const args = [
    "--provider",
    "mazda",
    "--user",
    "jdoe",
    "--api-url",
    `http://127.0.0.1:${port}/orders?vin=1`,
    "--credentials",
    credentialsFile,
  ];
  const start = (...more: string[]): RunningProgram =>
    startProgram("clients/node/sample-dms.ts", [...args, ...more], { DMS_CONNECT_PIPE: broker.pipe });
  return { broker, received, credentialsFile, start };
}

describe("the sample DMS program", () => {
  it("pairs, calls the API with the broker's headers, and shows no whole token", async () => {
    const { broker, received, credentialsFile, start } = await surroundings([200]);
    broker.registry.approve();
    const { code, stdout, stderr } = await start().ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Pairing code: 123456");
    expect(stdout).toContain("X-mazda-org: 10030/MMD");
    expect(stdout).toContain(`Authorization: Bearer secret… (${someToken.accessToken.length} characters)`);
    expect(stdout).toContain("Status: 200");
    expect(stdout).not.toContain(someToken.accessToken);
    expect(received).toMatchObject([{ authorization: `Bearer ${someToken.accessToken}`, "x-mazda-org": "10030/MMD" }]);
    expect((await stat(credentialsFile)).isFile()).toBe(true);
  });

  it("reports a 401 and repeats the call once with the other token", async () => {
    const rejected: string[] = [];
    const { received, credentialsFile, start } = await surroundings([401, 401, 200], {
      api: {
        tokenRejected: (_client, { tokenId }) => {
          rejected.push(tokenId);
          return Promise.resolve(ok({ ...someToken, headers: { Authorization: "Bearer another" } }));
        },
      },
    });
    await writeCredentials(credentialsFile, knownClient);
    expect(await start().ended).toMatchObject({ code: 1 });
    expect(rejected).toEqual(["token-1"]);
    expect(received.map(({ authorization }) => authorization)).toEqual([`Bearer ${someToken.accessToken}`, "Bearer another"]);
  });

  it("says what to do when there is no token", async () => {
    const missing = failure("not_connected", { user: "jdoe", provider: "Mazda" });
    const { received, credentialsFile, start } = await surroundings([], { api: { tokenGet: () => Promise.resolve(err(missing)) } });
    await writeCredentials(credentialsFile, knownClient);
    const { code, stderr } = await start().ended;
    expect(code).toBe(1);
    expect(stderr).toContain(missing.remedy);
    expect(received).toEqual([]);
  });

  it("watches the connection and calls the API again when it becomes Active", async () => {
    const listeners = new Set<(connection: PipeConnection) => void>();
    const { broker, received, credentialsFile, start } = await surroundings([200, 200], {
      api: { onConnectionChanged: (_client, listener) => listeners.add(listener) && ((): void => undefined) },
    });
    await writeCredentials(credentialsFile, knownClient);
    const program = start("--watch");
    await program.prints("Status: 200");
    for (const state of ["Refreshing", "Active"] as const) for (const listener of listeners) listener({ ...someConnection, state });
    await program.prints("Connection: Active");
    await expect.poll(() => received.length).toBe(2);
    await broker.server.close();
    const { code, stdout } = await program.ended;
    expect(code).toBe(0);
    expect(stdout).toContain("Connection: Refreshing");
  });

  it("refuses bad usage", async () => {
    const { code, stderr } = await startProgram("clients/node/sample-dms.ts", ["--provider", "mazda"], {}).ended;
    expect(code).toBe(2);
    expect(stderr).toContain("usage:");
  });
});
