import dns from "node:dns";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { generate } from "selfsigned";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startLocalProxy } from "../e2e/hosts/stand-in-net-local-proxy.ts";
import type { Check } from "./doctor-check.ts";
import type { DoctorNetwork } from "./doctor-endpoint.ts";
import { builtInDoctorProviders, checkProviders, type DoctorProvider } from "./doctor-network.ts";

const dayMs = 86_400_000;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) await close();
});

const network: DoctorNetwork = { environment: {}, roots: { public: [], computer: [] }, nowMs: Date.now, timeoutMs: 5_000 };

interface Certificate {
  readonly cert: string;
  readonly private: string;
}

/** Self-signed: whoever has it among its roots trusts it. */
function certificateFor(
  host: "127.0.0.1" | "login.provider.test",
  notBeforeMs = Date.now() - dayMs,
  days = 30,
  organisation = "Dealer Group",
): Promise<Certificate> {
  const altName = host === "127.0.0.1" ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const);
  return generate(
    [
      { name: "commonName", value: "Test Root" },
      { name: "organizationName", value: organisation },
    ],
    {
      keyType: "ec",
      algorithm: "sha256",
      notBeforeDate: new Date(notBeforeMs),
      notAfterDate: new Date(notBeforeMs + days * dayMs),
      extensions: [{ name: "subjectAltName", altNames: [altName] }],
    },
  );
}

async function listen(server: Server | TcpServer, host = "127.0.0.1"): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  closers.push(() => server.close());
  // A TCP server's address is an object.
  return (server.address() as AddressInfo).port;
}

const asOAuthServer: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify({ error: "invalid_client", hint: "secret-hint" }));
};

/** A provider whose addresses are all on one server. */
function providerAt(origin: string): DoctorProvider {
  const addresses = {
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/revoke`,
  };
  return { provider: "mazda", environment: "production", ...addresses };
}

async function startHttps(certificate: Certificate, listener: RequestListener = asOAuthServer): Promise<number> {
  return listen(createHttpsServer({ key: certificate.private, cert: certificate.cert }, listener));
}

/** Each step as "outcome step: found"; the remedy of what failed behind it. */
function lines(checks: readonly Check[]): readonly string[] {
  return checks.map((check) => {
    const step = check.name.replace("mazda (production) token endpoint, ", "");
    if (check.outcome === "skip") return `skip ${step}`;
    return `${check.outcome} ${step}: ${check.found}${check.outcome === "fail" ? ` -> ${check.remedy}` : ""}`;
  });
}

async function doctor(origin: string, changes: Partial<DoctorNetwork> = {}): Promise<readonly string[]> {
  return lines(await checkProviders([providerAt(origin)], { ...network, ...changes }));
}

describe("a provider that is as it should be", () => {
  it("is followed from its name to its clock, its issuer named", async () => {
    const certificate = await certificateFor("127.0.0.1");
    const asked: string[] = [];
    const port = await startHttps(certificate, (request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${request.headers["content-length"]}`);
      asOAuthServer(request, response);
    });
    const found = await doctor(`https://127.0.0.1:${port}`, { roots: { public: [certificate.cert], computer: [] } });
    expect(found).toEqual([
      "ok name: 127.0.0.1 is 127.0.0.1",
      `ok connection: 127.0.0.1 (IPv4), port ${port}`,
      "ok encryption: TLSv1.3, issued by Dealer Group, Test Root",
      "ok answer: status 401, invalid_client: an OAuth server that wants credentials",
      expect.stringMatching(/^ok clock: (right|\d+ seconds (fast|slow))$/),
    ]);
    expect(asked).toEqual(["POST /token undefined 0"]);
  });

  it("may be trusted by this computer's own store only: then somebody looks into the traffic", async () => {
    const certificate = await certificateFor("127.0.0.1");
    const port = await startHttps(certificate);
    const found = await doctor(`https://127.0.0.1:${port}`, { roots: { public: [], computer: [certificate.cert] } });
    expect(found[2]).toBe(
      "ok encryption: TLSv1.3, issued by Dealer Group, Test Root (no public authority, but trusted by this computer: your company, or a program here, looks into encrypted traffic)",
    );
    expect(found[3]).toMatch(/^ok answer/);
  });

  it("needs no encryption on this computer itself", async () => {
    const port = await listen(createHttpServer(asOAuthServer));
    expect((await doctor(`http://127.0.0.1:${port}`))[2]).toBe("ok encryption: none, and none needed: it is on this computer");
  });

  it("has its other servers looked at, too, each once and without a request", async () => {
    const requests: string[] = [];
    const count: RequestListener = (request, response) => {
      requests.push(request.url ?? "");
      asOAuthServer(request, response);
    };
    const [first, second] = [await listen(createHttpServer(count)), await listen(createHttpServer(count))];
    const provider = { ...providerAt(`http://127.0.0.1:${first}`), authorizationEndpoint: `http://127.0.0.1:${second}/authorize` };
    const checks = await checkProviders([provider, { ...provider, environment: "acceptance" }], network);
    expect(checks.map(({ outcome, name }) => `${outcome} ${name}`)).toEqual([
      ...["name", "connection", "encryption", "answer", "clock"].map((step) => `ok mazda (production) token endpoint, ${step}`),
      ...["name", "connection", "encryption"].map((step) => `ok mazda (production) sign-in page, ${step}`),
      ...["name", "connection", "encryption", "answer", "clock"].map((step) => `ok mazda (acceptance) token endpoint, ${step}`),
    ]);
    expect(requests).toEqual(["/token", "/token"]);
  });
});

describe("a way that is broken", () => {
  it("at the name skips the rest", async () => {
    const found = await doctor("https://provider.invalid");
    expect(found[0]).toMatch(/^fail name: provider\.invalid was not found \(\w+\) -> Check the internet connection/);
    expect(found.slice(1)).toEqual(["skip connection", "skip encryption", "skip answer", "skip clock"]);
  });

  it("at a port where nobody listens", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await closers.pop()?.();
    await once(server, "close");
    const found = await doctor(`https://127.0.0.1:${port}`);
    expect(found[1]).toMatch(/^fail connection: no connection to 127\.0\.0\.1, port \d+ \(ECONNREFUSED\) -> A firewall may be in the way/);
    expect(found.slice(2)).toEqual(["skip encryption", "skip answer", "skip clock"]);
  });

  it("at a server that says nothing", async () => {
    const port = await listen(createTcpServer((socket) => socket.on("error", () => undefined)));
    const found = await doctor(`https://127.0.0.1:${port}`, { timeoutMs: 200 });
    expect(found[2]).toMatch(/^fail encryption: no encrypted connection \(no answer in time\)/);
  });

  it("at a server that speaks no TLS, or hangs up", async () => {
    const plain = await listen(createHttpServer(asOAuthServer));
    expect((await doctor(`https://127.0.0.1:${plain}`))[2]).toMatch(/^fail encryption: no encrypted connection \(/);
    const closing = await listen(createTcpServer((socket) => socket.on("error", () => undefined).end()));
    expect((await doctor(`https://127.0.0.1:${closing}`))[2]).toMatch(/^fail encryption: no encrypted connection \(ECONNRESET\)/);
  });

  it("at an address that may not be used", async () => {
    for (const address of ["http://login.example", "not an address"]) {
      expect((await doctor(address)).slice(0, 5)).toEqual([
        "fail name: the address is neither https nor on this computer -> Correct the endpoints in the registration.",
        "skip connection",
        "skip encryption",
        "skip answer",
        "skip clock",
      ]);
    }
  });
});

describe("a certificate", () => {
  async function encryption(certificate: Certificate, trusted: readonly string[] = [certificate.cert]): Promise<string | undefined> {
    let requests = 0;
    const port = await startHttps(certificate, (request, response) => {
      requests += 1;
      asOAuthServer(request, response);
    });
    const found = await doctor(`https://127.0.0.1:${port}`, { roots: { public: trusted, computer: [] } });
    expect(found.slice(3)).toEqual(["skip answer", "skip clock"]);
    expect(requests).toBe(0);
    return found[2];
  }

  it("that nobody trusts names its issuer and warns", async () => {
    const line = await encryption(await certificateFor("127.0.0.1"), []);
    expect(line).toMatch(
      /^fail encryption: the certificate, issued by Dealer Group, Test Root, is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    expect(line).toContain("root certificate has to be in this computer's certificate store");
  });

  it("names an issuer that would write on the terminal harmlessly", async () => {
    const forged = `Evil\u001b[2K\u001b[Eok    all: well\u202e\u009b31m${"x".repeat(200)}`;
    const line = await encryption(await certificateFor("127.0.0.1", undefined, undefined, forged), []);
    const shown = `Evil[2K[Eok    all: well31m${"x".repeat(200)}`.slice(0, 100);
    expect(line).toContain(`fail encryption: the certificate, issued by ${shown}…, Test Root, is not trusted`);
    expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });

  it("for another name points to what answers there", async () => {
    const line = await encryption(await certificateFor("login.provider.test"));
    expect(line).toMatch(/^fail encryption: the certificate, issued by .*, is for another name -> Sign in to the network/);
  });

  it("that has ended points to the clock", async () => {
    const line = await encryption(await certificateFor("127.0.0.1", Date.now() - 10 * dayMs, 5));
    expect(line).toMatch(/^fail encryption: the certificate holds from .* to .*; this computer says it is .* -> Set the date and time/);
  });

  it("that does not hold yet does so, too", async () => {
    const line = await encryption(await certificateFor("127.0.0.1", Date.now() + 10 * dayMs));
    expect(line).toMatch(/^fail encryption: the certificate holds from .* -> Set the date and time/);
  });
});

describe("an answer", () => {
  async function answerOf(status: number, headers: Readonly<Record<string, string>>, body = ""): Promise<readonly (string | undefined)[]> {
    const port = await listen(
      createHttpServer((request, response) => {
        request.resume();
        response.writeHead(status, headers).end(body);
      }),
    );
    return (await doctor(`http://127.0.0.1:${port}`)).slice(3);
  }
  const page = "<html>Guest Wi-Fi</html>";
  const html = { "content-type": "text/html" };
  const json = { "content-type": "application/json" };

  it.each([
    ["a portal", 200, html, page, /^fail answer: a page \(status 200\).*network wants somebody to sign in.* -> Open any page/],
    ["a block page", 403, html, page, /^fail answer: a page \(status 403\)/],
    ["a network's own status", 511, json, "{}", /^fail answer: a page \(status 511\)/],
    ["a redirect", 302, { location: "http://portal.example/" }, "", /^fail answer: a redirect \(status 302\)/],
    ["a provider in trouble", 503, html, page, /^fail answer: the provider is busy or out of order \(status 503\)/],
    ["a wrong address", 404, html, page, /^fail answer: status 404, which is not the answer .* -> Check the token endpoint's address/],
    ["anything else", 200, json, "[]", /^fail answer: status 200, which is not/],
  ])("of %s fails, and its clock is not gone by", async (_what, status, headers, body, expected) => {
    expect(await answerOf(status, headers, body)).toEqual([expect.stringMatching(expected), "skip clock"]);
  });

  it.each([
    [400, json, `{"error":"invalid_request"}`, "status 400, invalid_request: an OAuth server that wants credentials"],
    [401, { "www-authenticate": "Basic" }, "", "status 401: a server that wants credentials"],
    [400, json, `{"error":"a\\u001b[31m<b>"}`, "status 400, a31mb: an OAuth server that wants credentials"],
  ])("with status %i that wants credentials is fine", async (status, headers, body, expected) => {
    expect((await answerOf(status, headers, body))[0]).toBe(`ok answer: ${expected}`);
  });

  it("that breaks off is told", async () => {
    const port = await listen(createTcpServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end())));
    expect((await doctor(`http://127.0.0.1:${port}`))[3]).toMatch(/^fail answer: no answer \(ECONNRESET\)/);
  });
});

describe("this computer's clock", () => {
  const hourMs = 3_600_000;
  it.each([
    [2 * hourMs + 5 * 60_000, /^fail clock: 2 hours 5 minutes fast, by the provider's time -> Set the date, the time/],
    [-31 * 24 * hourMs, /^fail clock: 31 days 0 hours slow/],
    [120_000, /^ok clock: 1(19|20|21) seconds fast$/],
  ])("that is %i ms ahead is told by how much", async (aheadMs, expected) => {
    const port = await listen(createHttpServer(asOAuthServer));
    const found = await doctor(`http://127.0.0.1:${port}`, { nowMs: () => Date.now() + aheadMs });
    expect(found[4]).toMatch(expected);
  });

  it("is not judged by a stored answer", async () => {
    const port = await listen(
      createHttpServer((request, response) => {
        request.resume();
        response.writeHead(400, { age: "3600", "content-type": "application/json" }).end(`{"error":"invalid_request"}`);
      }),
    );
    expect((await doctor(`http://127.0.0.1:${port}`))[4]).toBe("ok clock: not told by the provider");
  });
});

describe("the proxy of the environment", () => {
  async function through(options: Parameters<typeof startLocalProxy>[0], signIn = "") {
    const certificate = await certificateFor("login.provider.test");
    const port = await startHttps(certificate);
    const proxy = await startLocalProxy({ hosts: { "login.provider.test": port }, ...options });
    closers.push(proxy.close);
    const environment = { HTTPS_PROXY: proxy.url.replace("//", `//${signIn}`) };
    const found = await doctor("https://login.provider.test", { environment, roots: { public: [certificate.cert], computer: [] } });
    return { found, proxy };
  }

  it("is gone through, and knows the name", async () => {
    const { found, proxy } = await through({});
    expect(found.slice(0, 4)).toEqual([
      `ok name: login.provider.test, looked up by the proxy ${proxy.name} of the environment`,
      `ok connection: the proxy ${proxy.name} lets login.provider.test:443 through`,
      "ok encryption: TLSv1.3, issued by Dealer Group, Test Root",
      "ok answer: status 401, invalid_client: an OAuth server that wants credentials",
    ]);
  });

  const signIn = { userName: "jdoe", password: "p@ss" };
  it("that wants a password gets the one in its address, which is shown nowhere", async () => {
    const { found, proxy } = await through({ signIn }, "jdoe:p%40ss@");
    expect(found[1]).toBe(`ok connection: the proxy ${proxy.name} lets login.provider.test:443 through`);
    expect(found.join()).not.toContain("p%40ss");
  });

  it("that wants a password and gets none says where to enter it", async () => {
    const { found, proxy } = await through({ signIn });
    expect(found[1]).toContain(`fail connection: the proxy ${proxy.name} wants a user name and a password -> Open DMS Connect and click`);
    expect(found.slice(2)).toEqual(["skip encryption", "skip answer", "skip clock"]);
  });

  it.each([
    ["https://proxy.example", "proxy.example:443 is reached by https://"],
    ["https://proxy.example:3129", "proxy.example:3129 is reached by https://"],
    ["socks5://proxy.example", "proxy.example:1080 is reached by socks5://"],
  ])("of another kind (%s) is not tried", async (address, expected) => {
    const found = await doctor("https://login.provider.test", { environment: { HTTPS_PROXY: address } });
    expect(found[1]).toMatch(/^fail connection: .*, and this command knows http:\/\/ proxies only -> /);
    expect(found[1]).toContain(expected);
    expect(found.slice(2)).toEqual(["skip encryption", "skip answer", "skip clock"]);
  });

  it("that does not run, or refuses, is named", async () => {
    const proxy = await startLocalProxy();
    await proxy.close();
    const gone = await doctor("https://login.provider.test", { environment: { https_proxy: proxy.url } });
    expect(gone[1]).toContain(`fail connection: the proxy ${proxy.name} does not answer (ECONNREFUSED)`);
    const refusing = createHttpServer();
    refusing.on("connect", (_request, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
    const name = `127.0.0.1:${await listen(refusing)}`;
    const refused = await doctor("https://login.provider.test", { environment: { https_proxy: `http://${name}` } });
    expect(refused[1]).toContain(`fail connection: the proxy ${name} refuses login.provider.test:443 (status 403)`);
  });
});

describe("a name with two addresses", () => {
  it("is reached by the one that answers, which is told", async () => {
    const port = await listen(createHttpServer(asOAuthServer));
    const both = [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    // As `net` asks, with three arguments, for all addresses.
    const lookup = (_name: string, _options: unknown, callback: (error: null, found: unknown) => void): void => callback(null, both);
    vi.spyOn(dns, "lookup").mockImplementation(lookup as typeof dns.lookup);
    expect((await doctor(`http://localhost:${port}`))[1]).toBe(`ok connection: 127.0.0.1 (IPv4), port ${port}`);
  });
});

describe("the providers of this build", () => {
  it("are looked for when DMS Connect does not say which are registered", async () => {
    const providers = await builtInDoctorProviders();
    expect(providers?.map(({ provider, environment }) => `${provider} ${environment}`)).toEqual([
      "mazda acceptance",
      "mazda production",
      "webfleet production",
    ]);
    expect(providers?.every(({ tokenEndpoint }) => tokenEndpoint.startsWith("https://"))).toBe(true);
  });
});
