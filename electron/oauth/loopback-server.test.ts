import { once } from "node:events";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import type { CallbackPageOutcome, PendingCallback } from "../core/ports.ts";
import { makeLoopbackCertificate } from "./loopback-certificate.ts";
import { type CallbackEndpointOptions, createCallbackEndpoint } from "./loopback-server.ts";
import { browse, browseCallback, isListening } from "./testing/browser-request.ts";
import { closedOrigin } from "./testing/loopback-provider.ts";

const certificate = await makeLoopbackCertificate(Date.now());
const connected: CallbackPageOutcome = { kind: "connected", providerName: "Mazda", user: "mmd10030.johndoe" };
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));
const opened: PendingCallback[] = [];

function endpoint(options: Partial<CallbackEndpointOptions> = {}) {
  return createCallbackEndpoint({ certificate: () => Promise.resolve(ok(certificate)), ...options });
}

async function listen(on: ReturnType<typeof endpoint>, ...redirectUris: readonly string[]): Promise<PendingCallback> {
  const listening = await on.listen(redirectUris);
  if (!listening.ok) throw new Error(listening.error.code);
  opened.push(listening.value);
  return listening.value;
}

const portOf = (pending: PendingCallback) => Number(new URL(pending.redirectUri).port);
const freePort = async () => Number(new URL(await closedOrigin()).port);
const expectCloses = (port: number, host?: string) => vi.waitFor(async () => expect(await isListening(port, host)).toBe(false));

afterEach(() => {
  for (const pending of opened.splice(0)) pending.close();
});

describe("a sign-in", () => {
  it("gets its callback, shows the result under an address without code and state, and closes the port", async () => {
    const pending = await listen(endpoint(), "http://127.0.0.1/dms/oauth/code");
    expect(pending.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dms\/oauth\/code$/);
    const received = pending.receive("the-state", "Mazda");
    const redirect = await browse(`${pending.redirectUri}?code=the-code&state=the-state&session_state=x`);
    expect(redirect.status).toBe(303);
    expect(redirect.headers.location).toMatch(new RegExp(`^${new URL(pending.redirectUri).origin}/dms-connect/result/[\\w-]{22}$`));
    expect(Object.fromEntries(await received)).toEqual({ code: "the-code", state: "the-state", session_state: "x" });

    const page = browse(redirect.headers.location ?? "", { onTaken: () => pending.finish(connected) });
    expect(await page).toMatchObject({ status: 200 });
    expect((await page).body).toContain("<h1>mmd10030.johndoe is now connected to Mazda.</h1>");
    expect((await page).body).toContain("You can close this page and go back to your DMS.");
    await expectCloses(portOf(pending));
  });

  it("gets its refusal", async () => {
    const pending = await listen(endpoint(), "http://127.0.0.1/cb");
    const received = pending.receive("s", "Mazda");
    const answer = await browse(`${pending.redirectUri}?error=access_denied&state=s`);
    expect((await received).get("error")).toBe("access_denied");
    pending.finish({ kind: "failed", failure: failure("consent_refused", { provider: "Mazda" }) });
    const page = await browse(answer.headers.location ?? "");
    expect(page.body).toContain("Access to Mazda was not approved.");
    expect(page.body).toContain("Click Connect again and choose Approve on the Mazda page.");
    await expectCloses(portOf(pending));
  });

  it("works over https on a fixed port, with the computer's own certificate", async () => {
    const port = await freePort();
    const pending = await listen(endpoint(), `https://127.0.0.1:${port}/myGreatDms/oauth/code`);
    expect(pending.redirectUri).toBe(`https://127.0.0.1:${port}/myGreatDms/oauth/code`);
    const received = pending.receive("s", "Mazda");
    const page = browseCallback(`${pending.redirectUri}?code=c&state=s`, { ca: certificate.certificatePem });
    await received;
    pending.finish(connected);
    expect((await page).body).toContain("is now connected to Mazda");
    await expectCloses(port);
  });

  it("shares a fixed port with another one, each with its own state", async () => {
    const port = await freePort();
    const shared = endpoint();
    const uri = `http://127.0.0.1:${port}/cb`;
    const [first, second] = await Promise.all([listen(shared, uri), listen(shared, uri)]);
    const firstReceived = first.receive("state-1", "Mazda");
    const secondReceived = second.receive("state-2", "Webfleet");
    const secondPage = browseCallback(`${uri}?code=c2&state=state-2`);
    const firstPage = browseCallback(`${uri}?code=c1&state=state-1`);
    expect((await firstReceived).get("code")).toBe("c1");
    expect((await secondReceived).get("code")).toBe("c2");
    first.finish(connected);
    expect((await firstPage).body).toContain("connected to Mazda");
    expect(await isListening(port)).toBe(true);
    second.finish({ kind: "connected", providerName: "Webfleet", user: "u" });
    expect((await secondPage).body).toContain("connected to Webfleet");
    await expectCloses(port);
  });

  it("shares a port under another name and path without mixing them up", async () => {
    const port = await freePort();
    const shared = endpoint();
    const mazda = await listen(shared, `http://127.0.0.1:${port}/mazda`);
    const webfleet = await listen(shared, `http://localhost:${port}/webfleet`);
    void mazda.receive("m", "Mazda");
    const received = webfleet.receive("w", "Webfleet");
    expect((await browse(`http://127.0.0.1:${port}/webfleet?code=c&state=w`)).status).toBe(404);
    expect((await browse(`http://127.0.0.1:${port}/mazda?code=c&state=w`)).status).toBe(400);
    expect((await browse(`http://localhost:${port}/webfleet?code=c&state=w`, { address: "127.0.0.1" })).status).toBe(303);
    expect((await received).get("code")).toBe("c");
  });

  it("can be repeated on the same port", async () => {
    const port = await freePort();
    const shared = endpoint();
    for (const state of ["one", "two"]) {
      const pending = await listen(shared, `http://127.0.0.1:${port}/cb`);
      const received = pending.receive(state, "Mazda");
      await browse(`${pending.redirectUri}?code=c&state=${state}`);
      await received;
      pending.close();
    }
    expect(await isListening(port)).toBe(false);
  });

  it("whose browser never asks for the page closes the port all the same", async () => {
    const pending = await listen(endpoint({ resultGraceMs: 20 }), "http://127.0.0.1/cb");
    const received = pending.receive("s", "Mazda");
    await browse(`${pending.redirectUri}?code=c&state=s`);
    expect((await received).get("code")).toBe("c");
    pending.finish(connected);
    await expectCloses(portOf(pending));
  });

  it("that ends before any callback closes the port at once", async () => {
    const pending = await listen(endpoint(), "http://127.0.0.1/cb");
    void pending.receive("s", "Mazda");
    pending.finish({ kind: "failed", failure: failure("connect_timed_out", { minutes: 5 }) });
    expect(await isListening(portOf(pending))).toBe(false);
  });

  it("that is closed tells the waiting page so and never settles", async () => {
    const pending = await listen(endpoint(), "http://127.0.0.1/cb");
    const received = pending.receive("s", "Mazda");
    const { headers } = await browse(`${pending.redirectUri}?code=c&state=s`);
    await received;
    const page = await browse(headers.location ?? "", { onTaken: () => pending.close() });
    expect(page.body).toContain("The sign-in was cancelled.");
    await expectCloses(portOf(pending));

    const unanswered = await listen(endpoint(), "http://127.0.0.1/cb");
    let settled = false;
    void unanswered.receive("s", "Mazda").then(() => {
      settled = true;
    });
    unanswered.close();
    await expect(browse(`${unanswered.redirectUri}?code=c&state=s`)).rejects.toThrow("ECONNREFUSED");
    expect(settled).toBe(false);
  });

  it("tells a page that has waited too long", async () => {
    const pending = await listen(endpoint({ resultWaitMs: 20 }), "http://127.0.0.1/cb");
    void pending.receive("s", "Mazda");
    const page = await browseCallback(`${pending.redirectUri}?code=c&state=s`);
    expect(page.body).toContain("Mazda did not answer in time.");
  });
});

describe("where it listens", () => {
  it("takes the next registered address when a port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const takenPort = typeof address === "object" ? (address?.port ?? 0) : 0;
    const port = await freePort();
    const pending = await listen(endpoint(), `http://127.0.0.1:${takenPort}/cb`, `http://127.0.0.1:${port}/cb`);
    expect(pending.redirectUri).toBe(`http://127.0.0.1:${port}/cb`);
    expect(await endpoint().listen([`http://127.0.0.1:${takenPort}/cb`])).toMatchObject({
      ok: false,
      error: { code: "port_in_use", params: { port: takenPort } },
    });
    taken.close();
  });

  // Root may open every port, so as root this one is not exercised.
  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "treats a port it may not open like a taken one (EACCES, not exercised as root)",
    async () => {
      expect(await endpoint().listen(["http://127.0.0.1:1/cb"])).toMatchObject({
        ok: false,
        error: { code: "port_in_use", params: { port: 1 } },
      });
    },
  );

  it("treats a port on which another program answers like a taken one, and leaves it", async () => {
    const port = await freePort();
    const foreign = endpoint({ probe: () => Promise.resolve(false) });
    expect(await foreign.listen([`http://127.0.0.1:${port}/cb`])).toMatchObject({ ok: false, error: { code: "port_in_use" } });
    expect(await isListening(port)).toBe(false);
  });

  it.skipIf(!hasIpv6)("listens on both of localhost's addresses, and closes both", async () => {
    const pending = await listen(endpoint(), "http://localhost/cb");
    expect(pending.redirectUri).toMatch(/^http:\/\/localhost:\d+\/cb$/);
    const received = pending.receive("s", "Mazda");
    expect(await isListening(portOf(pending), "127.0.0.1")).toBe(true);
    const page = browseCallback(`${pending.redirectUri}?code=c&state=s`, { address: "::1" });
    await received;
    pending.finish(connected);
    expect((await page).status).toBe(200);
    await expectCloses(portOf(pending), "127.0.0.1");
    await expectCloses(portOf(pending), "::1");
  });

  it.skipIf(!hasIpv6)("does not share localhost with a program on its other address", async () => {
    const other = createServer().listen(0, "::1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    expect(await endpoint().listen([`http://localhost:${port}/cb`])).toMatchObject({ ok: false, error: { code: "port_in_use" } });
    expect(await isListening(port, "127.0.0.1")).toBe(false);
    other.close();
  });

  it.skipIf(!hasIpv6)("listens on ::1 when that is registered", async () => {
    const pending = await listen(endpoint(), "https://[::1]/cb");
    const received = pending.receive("s", "Mazda");
    await browse(`${pending.redirectUri}?code=c&state=s`, { ca: certificate.certificatePem });
    expect((await received).get("code")).toBe("c");
    expect(await isListening(portOf(pending), "127.0.0.1")).toBe(false);
  });

  it("refuses addresses that are not this computer's", async () => {
    const listening = await endpoint().listen(["https://dms.example/cb", "http://0.0.0.0:8080/cb", "http://127.0.0.1@evil.example/cb"]);
    expect(listening).toMatchObject({ ok: false, error: { code: "registration_invalid" } });
  });

  it.each([
    ["cannot be had", () => Promise.resolve(err(failure("vault_locked")))],
    ["is damaged", () => Promise.resolve(ok({ certificatePem: "x", privateKeyPem: "y" }))],
    ["has another one's key", async () => ok({ ...certificate, privateKeyPem: (await makeLoopbackCertificate(Date.now())).privateKeyPem })],
  ])("fails for https when the certificate %s, and again gets through when it is back", async (_what, broken) => {
    let isBroken = true;
    const flaky = endpoint({ certificate: () => (isBroken ? broken() : Promise.resolve(ok(certificate))) });
    const uri = `https://127.0.0.1:${await freePort()}/cb`;
    expect(await flaky.listen([uri])).toMatchObject({ ok: false, error: { code: "callback_certificate_failed" } });
    isBroken = false;
    expect((await listen(flaky, uri)).redirectUri).toBe(uri);
  });
});

describe("slow clients", () => {
  it("are cut", async () => {
    const pending = await listen(endpoint({ headersTimeoutMs: 100 }), "http://127.0.0.1/cb");
    const half = connect(portOf(pending), "127.0.0.1");
    half.write("GET /cb?code=");
    const silent = connect(portOf(pending), "127.0.0.1");
    half.resume();
    silent.resume();
    await Promise.all([once(half, "close"), once(silent, "close")]);
    expect(await isListening(portOf(pending))).toBe(true);
  });

  it("are cut in the TLS handshake too", async () => {
    const pending = await listen(endpoint({ headersTimeoutMs: 100 }), "https://127.0.0.1/cb");
    const silent = connect(portOf(pending), "127.0.0.1").resume();
    await once(silent, "close");
    expect(await isListening(portOf(pending))).toBe(true);
  });

  it("are dropped when the sign-in ends", async () => {
    const pending = await listen(endpoint(), "https://127.0.0.1/cb");
    const silent = connect(portOf(pending), "127.0.0.1").resume();
    await once(silent, "connect");
    const dropped = once(silent, "close");
    pending.close();
    await dropped;
    expect(await isListening(portOf(pending))).toBe(false);
  });
});
