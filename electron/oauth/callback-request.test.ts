import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ok } from "../../shared/result.ts";
import type { PendingCallback } from "../core/ports.ts";
import { makeLoopbackCertificate } from "./loopback-certificate.ts";
import { createCallbackEndpoint } from "./loopback-server.ts";
import { type BrowserAnswer, browse } from "./testing/browser-request.ts";

let pending: PendingCallback;
let received: Promise<URLSearchParams>;

beforeEach(async () => {
  const endpoint = createCallbackEndpoint({ certificate: async () => ok(await makeLoopbackCertificate(Date.now())) });
  const listening = await endpoint.listen(["http://127.0.0.1/dms/oauth/code"]);
  if (!listening.ok) throw new Error(listening.error.code);
  pending = listening.value;
});
afterEach(() => pending.close());

const at = (path: string) => new URL(path, pending.redirectUri).href;

/** The sign-in still works after whatever came before. */
async function expectStillWaiting(): Promise<void> {
  expect((await browse(`${pending.redirectUri}?code=good&state=right`)).status).toBe(303);
  expect((await received).get("code")).toBe("good");
}

function expectProtected(answer: BrowserAnswer): void {
  expect(answer.headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /);
  expect(answer.headers["referrer-policy"]).toBe("no-referrer");
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  expect(answer.headers.connection).toBe("close");
  expect(answer.headers["set-cookie"]).toBeUndefined();
}

describe("a callback", () => {
  it("before the state is known is unexpected", async () => {
    const early = await browse(`${pending.redirectUri}?code=c&state=right`);
    expect(early.status).toBe(400);
    received = pending.receive("right", "Mazda");
    await expectStillWaiting();
  });

  it("is answered once", async () => {
    received = pending.receive("right", "Mazda");
    await expectStillWaiting();
    const again = await browse(`${pending.redirectUri}?code=other&state=right`);
    expect(again.status).toBe(400);
    expect(again.body).toContain("This sign-in page is no longer expected.");
    expect((await received).get("code")).toBe("good");
  });

  it.each(["?code=c&state=wrong", "?code=c", "?code=c&state=", "?code=c&state=right&state=right", "?code=c&state=wrong&state=right", ""])(
    "with %s instead of one right state changes nothing",
    async (query) => {
      received = pending.receive("right", "Mazda");
      const answer = await browse(pending.redirectUri + query);
      expect(answer.status).toBe(400);
      expect(answer.body).toContain("This sign-in page is no longer expected.");
      expectProtected(answer);
      await expectStillWaiting();
    },
  );

  it.each(["", "&code=", "&code=a&code=b", "&error=a&error=b", "&code=&error="])(
    "with the right state but %s is malformed and changes nothing",
    async (query) => {
      received = pending.receive("right", "Mazda");
      const answer = await browse(`${pending.redirectUri}?state=right${query}`);
      expect(answer.status).toBe(400);
      expect(answer.body).toContain("The answer from Mazda is incomplete.");
      await expectStillWaiting();
    },
  );

  it.each(["POST", "HEAD", "PUT", "OPTIONS", "DELETE"])("by %s is refused and changes nothing", async (method) => {
    received = pending.receive("right", "Mazda");
    const answer = await browse(`${pending.redirectUri}?code=c&state=right`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe("GET");
    expectProtected(answer);
    await expectStillWaiting();
  });

  it.each([
    ["/", 404],
    ["/favicon.ico", 404],
    ["/dms/oauth/code/", 404],
    ["/dms/oauth/CODE", 404],
    ["/dms/oauth/code%20", 404],
    ["//dms/oauth/code", 404],
    ["/dms/./oauth/code", 404],
    ["/dms-connect/result/guess", 404],
    ["/dms-connect/probe/guess", 404],
  ])("at %s is answered %i and changes nothing", async (path, status) => {
    received = pending.receive("right", "Mazda");
    const answer = await browse(`${new URL(pending.redirectUri).origin}${path}?code=c&state=right`);
    expect(answer.status).toBe(status);
    expectProtected(answer);
    await expectStillWaiting();
  });

  it.each(["evil.example", "127.0.0.1", "localhost:PORT", "evil.example:PORT", "127.0.0.1:PORT.", "[::1]:PORT"])(
    "under the name %j is refused and changes nothing",
    async (name) => {
      received = pending.receive("right", "Mazda");
      const headers = { Host: name.replace("PORT", new URL(pending.redirectUri).port) };
      const answer = await browse(`${pending.redirectUri}?code=c&state=right`, { headers });
      expect(answer.status).toBe(421);
      expect(answer.body).toContain("This address was opened under a wrong name.");
      await expectStillWaiting();
    },
  );

  it.each(["Host: HOST\r\nHost: evil.example", "Host: evil.example\r\nHost: HOST", "Host:"])("with %j is refused", async (hostHeaders) => {
    received = pending.receive("right", "Mazda");
    const { host, port } = new URL(pending.redirectUri);
    const socket = connect(Number(port), "127.0.0.1");
    socket.end(`GET /dms/oauth/code?code=c&state=right HTTP/1.1\r\n${hostHeaders.replace("HOST", host)}\r\n\r\n`);
    const chunks: readonly unknown[] = await once(socket, "data");
    expect(String(chunks[0])).toMatch(/^HTTP\/1\.1 421 /);
    socket.destroy();
    await expectStillWaiting();
  });

  it.each([{ Purpose: "prefetch" }, { "Sec-Purpose": "prefetch;prerender" }, { "X-Moz": "prefetch" }])(
    "that is only fetched ahead (%j) changes nothing",
    async (headers) => {
      received = pending.receive("right", "Mazda");
      const answer = await browse(`${pending.redirectUri}?code=c&state=right`, { headers });
      expect(answer.status).toBe(503);
      await expectStillWaiting();
    },
  );

  it("longer than 8 KiB is refused and changes nothing", async () => {
    received = pending.receive("right", "Mazda");
    const answer = await browse(`${pending.redirectUri}?state=right&code=${"x".repeat(9000)}`);
    expect(answer.status).toBe(414);
    expect(answer.body).toContain("The answer from the browser is too long.");
    await expect(browse(`${pending.redirectUri}?state=right&code=${"x".repeat(100_000)}`)).rejects.toThrow(
      /ECONNRESET|EPIPE|socket hang up/,
    );
    await expectStillWaiting();
  });

  it("sent as something else than HTTP changes nothing", async () => {
    received = pending.receive("right", "Mazda");
    const socket = connect(Number(new URL(pending.redirectUri).port), "127.0.0.1").resume();
    socket.on("error", () => undefined);
    socket.write("\u0016\u0003\u0001 no HTTP at all\r\n\r\n");
    await once(socket, "close");
    expect(socket.bytesRead).toBe(0);
    await expectStillWaiting();
  });
});

describe("the result page", () => {
  it("waits for the browser that shows it, not for one that fetches ahead", async () => {
    received = pending.receive("right", "Mazda");
    const { headers } = await browse(`${pending.redirectUri}?code=c&state=right`);
    pending.finish({ kind: "connected", providerName: "Mazda", user: "u" });
    expect((await browse(headers.location ?? "", { headers: { Purpose: "prefetch" } })).status).toBe(503);
    expect((await browse(headers.location ?? "")).body).toContain("u is now connected to Mazda.");
  });

  it("is shown wherever it was opened", async () => {
    received = pending.receive("right", "Mazda");
    const { headers } = await browse(`${pending.redirectUri}?code=c&state=right`);
    let taken = 0;
    const onTaken = () => {
      taken += 1;
      if (taken === 2) pending.finish({ kind: "connected", providerName: "Mazda", user: "u" });
    };
    const pages = await Promise.all([browse(headers.location ?? "", { onTaken }), browse(headers.location ?? "", { onTaken })]);
    for (const page of pages) expect(page.body).toContain("u is now connected to Mazda.");
  });

  it("escapes what people and providers are called", async () => {
    received = pending.receive("right", "Mazda");
    const { headers } = await browse(`${pending.redirectUri}?code=c&state=right`);
    pending.finish({ kind: "connected", providerName: `<script>alert("1")</script>`, user: `a&b'<img src=x>` });
    const page = await browse(headers.location ?? at("/"));
    expect(page.body).not.toMatch(/<script|<img/);
    expect(page.body).toContain("a&#38;b&#39;&#60;img src=x&#62; is now connected to &#60;script&#62;");
    expectProtected(page);
  });
});
