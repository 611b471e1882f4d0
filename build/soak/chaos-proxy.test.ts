/** Real TLS through a real link: what it says of an answer must be what the client has met. */
import { createServer, request } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeLoopbackCertificate } from "../../electron/oauth/loopback-certificate.ts";
import { createRandom } from "../crash/random.ts";
import { boundPort } from "./bound-port.ts";
import { type AnswerWay, ChaosLink } from "./chaos-link.ts";
import { startChaosProxy } from "./chaos-proxy.ts";
import { calmFate, drawFate, type Fate, type FateKind } from "./fates.ts";

const certificate = await makeLoopbackCertificate(Date.now());
const text = "x".repeat(2_000);
/** The handshake has turns of its own. */
const never: readonly Fate[] = [calmFate];

interface Met {
  readonly answer: string | undefined;
  readonly way: AnswerWay | undefined;
  readonly troubles: readonly FateKind[];
}

/** One request over a link whose turns have these fates, the last one for all that follow. */
async function requestOver(fates: readonly Fate[], giveUpMs = 5_000): Promise<Met> {
  const left = [...fates];
  const troubles: FateKind[] = [];
  let link: ChaosLink | undefined;
  let way: AnswerWay | undefined;
  const server = createServer({ key: certificate.privateKeyPem, cert: certificate.certificatePem }, (incoming, response) => {
    incoming.resume().once("end", () => {
      way = link?.answerBegins();
      response.end(text);
    });
  });
  const proxy = createTcpServer((app) => {
    link = new ChaosLink({
      app,
      server: connect(boundPort(server), "127.0.0.1"),
      drawFate: () => (left.length > 1 ? left.shift() : left[0]) ?? calmFate,
      onTrouble: (kind) => troubles.push(kind),
    });
  });
  for (const listener of [server, proxy]) {
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void listener.close());
  }
  onTestFinished(() => server.closeAllConnections());
  const answer = await ask(boundPort(proxy), giveUpMs);
  return { answer, way, troubles };
}

function ask(port: number, giveUpMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ port, host: "127.0.0.1", method: "POST", ca: certificate.certificatePem, agent: false }, (response) => {
      let got = "";
      response.on("data", (more: Buffer) => {
        got += more.toString();
      });
      response.once("error", () => resolve(undefined));
      response.once("close", () => resolve(response.complete ? got : undefined));
    });
    asked.once("error", () => resolve(undefined));
    asked.setTimeout(giveUpMs, () => asked.destroy());
    asked.end("grant_type=refresh_token");
  });
}

describe("a link", () => {
  it("passes everything on and says when the answer had gone", async () => {
    const { answer, way } = await requestOver(never);
    expect(answer).toBe(text);
    expect(way?.deliveredAtMs()).toBeGreaterThan(Date.now() - 60_000);
  });

  it("keeps bytes in order and whole, however long each waits", async () => {
    const slow: readonly Fate[] = [5, 1, 9, 2].map((ms) => ({ kind: "pass", requestDelayMs: ms, answerDelayMs: 10 - ms }));
    const { answer, way } = await requestOver(slow);
    expect(answer).toBe(text);
    expect(way?.deliveredAtMs()).toBeDefined();
  });

  // Turn 1 is the client's greeting, turn 2 brings the request.
  it.each<Fate>([
    { kind: "cut-answer", share: 0.5, isReset: false },
    { kind: "cut-answer", share: 0.99, isReset: true },
    { kind: "corrupt-answer", share: 0.5 },
  ])("calls an answer lost after $kind", async (fate) => {
    const { answer, way, troubles } = await requestOver([calmFate, fate]);
    expect(answer).toBeUndefined();
    expect(troubles).toContain(fate.kind);
    expect(way?.deliveredAtMs()).toBeUndefined();
  });

  it.each<Fate>([
    { kind: "close" },
    { kind: "cut-request", share: 0.5, isReset: true },
    { kind: "cut-request", share: 0, isReset: false },
    { kind: "corrupt-request", share: 0.5 },
  ])("lets no request through after $kind", async (fate) => {
    const { answer, way, troubles } = await requestOver([calmFate, fate]);
    expect(answer).toBeUndefined();
    expect(troubles).toContain(fate.kind);
    expect(way).toBeUndefined();
  });

  it("tells nobody when it stalls", async () => {
    const { answer, way } = await requestOver([calmFate, { kind: "stall" }], 100);
    expect(answer).toBeUndefined();
    expect(way).toBeUndefined();
  });

  it("calls an answer lost that was still in here when the app left", async () => {
    const { answer, way } = await requestOver([calmFate, { kind: "pass", requestDelayMs: 0, answerDelayMs: 60_000 }], 100);
    expect(answer).toBeUndefined();
    expect(way?.deliveredAtMs()).toBeUndefined();
  });
});

describe("the proxy", () => {
  it("ends every connection while it is broken, and leads to the server when it is whole and calm", async () => {
    const server = createServer({ key: certificate.privateKeyPem, cert: certificate.certificatePem }, (_request, response) => {
      response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const proxy = await startChaosProxy(createRandom(1));
    onTestFinished(proxy.close);
    proxy.leadTo(boundPort(server));
    proxy.calmDown();
    proxy.setBroken(true);
    expect(await ask(proxy.port, 5_000)).toBeUndefined();
    proxy.setBroken(false);
    expect(await ask(proxy.port, 5_000)).toBe(text);
    expect(proxy.troubles.size).toBe(0);
  });

  it("draws every kind of trouble, and mostly none", () => {
    const random = createRandom(2);
    const counts = new Map<FateKind, number>();
    for (let turn = 0; turn < 5_000; turn += 1) {
      const { kind } = drawFate(random);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual([
      "close",
      "corrupt-answer",
      "corrupt-request",
      "cut-answer",
      "cut-request",
      "pass",
      "stall",
    ]);
    expect(counts.get("pass")).toBeGreaterThan(4_000);
  });
});
