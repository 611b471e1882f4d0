import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { generate } from "selfsigned";
import { afterEach, describe, expect, it } from "vitest";
import { trustLoopbackCertificates } from "../../electron/shell/loopback-certificates.ts";
import { createProviderFetch } from "../../electron/shell/provider-fetch.ts";
import { createProxySignIns } from "../../electron/shell/proxy-sign-ins.ts";
import { createStandInNet, type VerifyProc } from "./stand-in-net.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));
if (!hasIpv6) process.stdout.write("skipped: a server with an IPv6 address only was not exercised: this machine has no IPv6.\n");
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe("provider calls over net.request", () => {
  it("sends method, headers and body and reads the answer", async () => {
    const port = await listen(
      createHttpServer((request, response) => {
        const { method, headers } = request;
        const answer = (body: string): void => {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify({ method, type: headers["content-type"], cookie: headers.cookie, body }));
        };
        void text(request).then(answer);
      }),
    );
    const response = await providerFetch()(`http://127.0.0.1:${port}/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token" }),
    });
    expect(await response.json()).toEqual({
      method: "POST",
      type: "application/x-www-form-urlencoded;charset=UTF-8",
      body: "grant_type=refresh_token",
    });
  });

  it("rejects a redirect and goes nowhere", async () => {
    const paths: string[] = [];
    const redirect: RequestListener = (request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(307, { location: "/elsewhere" }).end();
    };
    const port = await listen(createHttpServer(redirect));
    const redirected = providerFetch()(`http://127.0.0.1:${port}/token`, { method: "POST", body: "secret" });
    await expect(redirected).rejects.toThrow("Redirect was cancelled");
    expect(paths).toEqual(["/token"]);
  });

  it("reports a refused connection in Chromium's words", async () => {
    const unused = createTcpServer();
    const port = await listen(unused);
    unused.close();
    await once(unused, "close");
    await expect(providerFetch()(`http://127.0.0.1:${port}/`)).rejects.toThrow("net::ERR_CONNECTION_REFUSED");
  });

  it("reports a connection that ends without an answer differently", async () => {
    const port = await listen(createTcpServer((socket) => socket.once("data", () => socket.end())));
    await expect(providerFetch()(`http://127.0.0.1:${port}/`)).rejects.toThrow("net::ERR_EMPTY_RESPONSE");
  });

  it("rejects with the reason of an abort", async () => {
    const silent = createTcpServer();
    const port = await listen(silent);
    const controller = new AbortController();
    silent.once("connection", (socket) => {
      socket.on("error", () => undefined);
      controller.abort(new Error("enough"));
    });
    await expect(providerFetch()(`http://127.0.0.1:${port}/`, { signal: controller.signal })).rejects.toThrow("enough");
  });

  it.skipIf(!hasIpv6)("reaches a server that has an IPv6 address only", async () => {
    const server = createHttpServer((request, response) => response.end(request.socket.remoteFamily));
    const port = await listen(server, "::1");
    expect(await (await providerFetch()(`http://[::1]:${port}/`)).text()).toBe("IPv6");
  });

  it("goes on ending the body when it is aborted after the head", async () => {
    const stalling: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
    };
    const port = await listen(createHttpServer(stalling));
    const controller = new AbortController();
    const response = await providerFetch()(`http://127.0.0.1:${port}/`, { signal: controller.signal });
    const body = response.text();
    controller.abort(new Error("enough"));
    await expect(body).rejects.toThrow(/abort/i);
  });

  it("sends nothing once it is aborted", async () => {
    const requests: string[] = [];
    const listener: RequestListener = (request, response) => {
      requests.push(request.url ?? "");
      response.end();
    };
    const port = await listen(createHttpServer(listener));
    await expect(providerFetch()(`http://127.0.0.1:${port}/`, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
    expect(requests).toEqual([]);
  });

  it("reads a challenge of the server itself as its answer, which wants no log-in", async () => {
    const refusing: RequestListener = (_request, response) => {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end("no");
    };
    const port = await listen(createHttpServer(refusing));
    const response = await providerFetch()(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(401);
    expect(await response.text()).toBe("no");
  });

  it("gives an answer without a body, and one whose body nobody reads", async () => {
    const empty: RequestListener = (request, response) => {
      if (request.url === "/empty") response.writeHead(204).end();
      else response.writeHead(200).end("x".repeat(100_000));
    };
    const port = await listen(createHttpServer(empty));
    const nothing = await providerFetch()(`http://127.0.0.1:${port}/empty`);
    expect([nothing.status, nothing.body]).toEqual([204, null]);
    const unread = await providerFetch()(`http://127.0.0.1:${port}/`);
    await expect(unread.body?.cancel()).resolves.toBeUndefined();
  });

  it("trusts exactly the given certificate on loopback", async () => {
    const { port, fingerprint } = await listenTls();
    const url = `https://127.0.0.1:${port}/`;
    await expect(providerFetch()(url)).rejects.toThrow("net::ERR_CERT_AUTHORITY_INVALID");
    await expect(providerFetch([fingerprint.replace(/^../, "00")])(url)).rejects.toThrow("net::ERR_CERT_AUTHORITY_INVALID");
    expect(await (await providerFetch([fingerprint])(url)).text()).toBe("hello");
  });

  it("sends no byte of a request to a server it does not trust", async () => {
    let requests = 0;
    const { port } = await listenTls(() => {
      requests += 1;
    });
    await expect(providerFetch(["00"])(`https://127.0.0.1:${port}/`, { method: "POST", body: "secret" })).rejects.toThrow("net::ERR_CERT");
    expect(requests).toBe(0);
  });

  it("leaves the verdict on other hosts to the browser", () => {
    const verdicts: number[] = [];
    trustLoopbackCertificates(
      {
        setCertificateVerifyProc: (proc) =>
          proc?.({ hostname: "idp.example", certificate: { data: "" } } as never, (verdict) => void verdicts.push(verdict)),
      },
      ["00"],
    );
    expect(verdicts).toEqual([-3]);
  });
});

/** The product's own fetch, on the stand-in's net and session. */
function providerFetch(trusted: readonly string[] = []): typeof fetch {
  let verifyProc: VerifyProc = null;
  const session = {
    setCertificateVerifyProc: (proc: VerifyProc): void => {
      verifyProc = proc;
    },
  };
  trustLoopbackCertificates(session, trusted);
  return createProviderFetch({ net: createStandInNet(() => verifyProc, {}), proxySignIns: createProxySignIns() });
}

async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  servers.push(server);
  server.listen(0, host);
  await once(server, "listening");
  // A TCP server's address is an object.
  return (server.address() as AddressInfo).port;
}

async function listenTls(onRequest: () => void = () => undefined): Promise<{ readonly port: number; readonly fingerprint: string }> {
  const pems = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const server = createHttpsServer({ key: pems.private, cert: pems.cert }, (_request, response) => {
    onRequest();
    response.end("hello");
  });
  return { port: await listen(server), fingerprint: new X509Certificate(pems.cert).fingerprint256 };
}
