import { afterEach, describe, expect, it } from "vitest";
import { makeLoopbackCertificate } from "./loopback-certificate.ts";
import { type ProbeTarget, probeListener, probePath } from "./loopback-probe.ts";
import { closedOrigin, type LoopbackProvider, startProvider, startRawServer } from "./testing/loopback-provider.ts";

const certificate = await makeLoopbackCertificate(Date.now());
const servers: LoopbackProvider[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function target(origin: string, changes: Partial<ProbeTarget> = {}): ProbeTarget {
  const scheme = origin.startsWith("https:") ? "https" : "http";
  const port = Number(new URL(origin).port);
  return {
    scheme,
    address: "127.0.0.1",
    port,
    nonce: "the-nonce",
    proof: "the-proof",
    certificatePem: certificate.certificatePem,
    ...changes,
  };
}

async function answering(body: string, secure?: typeof certificate): Promise<LoopbackProvider> {
  const server = await startProvider((response) => response.writeHead(200, { connection: "close" }).end(body), secure);
  servers.push(server);
  return server;
}

describe("the probe of an opened port", () => {
  it("knows its own answer, over http and https", async () => {
    const plain = await answering("the-proof");
    expect(await probeListener(target(plain.origin))).toBe(true);
    expect(plain.requests[0]?.path).toBe(probePath("the-nonce"));
    expect(await probeListener(target((await answering("the-proof", certificate)).origin))).toBe(true);
  });

  it.each(["", "another", "the-proof and more", "x".repeat(100_000)])("knows that %j is a foreign answer", async (body) => {
    expect(await probeListener(target((await answering(body)).origin))).toBe(false);
  });

  it("trusts no other certificate", async () => {
    const foreign = await answering("the-proof", await makeLoopbackCertificate(Date.now()));
    expect(await probeListener(target(foreign.origin))).toBe(false);
  });

  it("gets no answer from a program that hangs up, or from nobody", async () => {
    const rude = await startRawServer((socket) => socket.resetAndDestroy());
    servers.push(rude);
    expect(await probeListener(target(rude.origin))).toBe(false);
    expect(await probeListener(target(await closedOrigin()))).toBe(false);
  });
});
