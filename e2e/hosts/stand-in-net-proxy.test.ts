import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { text } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { generate } from "selfsigned";
import { afterEach, describe, expect, it } from "vitest";
import { environmentProxy } from "../../cli/doctor-proxy.ts";
import { createOAuthClient } from "../../electron/oauth/oauth-client.ts";
import { mazdaClient, oldGrant } from "../../electron/oauth/testing/resolved-client.ts";
import { createProviderFetch, type ProviderFetchParts } from "../../electron/shell/provider-fetch.ts";
import { createProxySignIns, type ProxySignIns } from "../../electron/shell/proxy-sign-ins.ts";
import { ok } from "../../shared/result.ts";
import { createStandInNet, type VerifyProc } from "./stand-in-net.ts";
import { type LocalProxy, type LocalProxyOptions, startLocalProxy } from "./stand-in-net-local-proxy.ts";
import { proxyList } from "./stand-in-net-proxy.ts";

const signIn = { userName: "DEALER\\jdoe", password: "p:ä ss+%word" };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Provider {
  readonly port: number;
  readonly bodies: readonly string[];
  readonly certificatePem: string;
}

/** A token endpoint behind a name that only the proxy knows; it repeats what it got unless it is to say something else. */
async function startProvider(scheme: "http" | "https", answer?: string, notAfter?: Date): Promise<Provider> {
  const bodies: string[] = [];
  const listener: RequestListener = (request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      response.writeHead(200, { "content-type": "application/json" }).end(answer ?? `got ${body}`);
    });
  };
  const pems = await generate([{ name: "commonName", value: "login.provider.test" }], {
    keyType: "ec",
    algorithm: "sha256",
    ...(notAfter === undefined ? {} : { notBeforeDate: new Date(0), notAfterDate: notAfter }),
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "login.provider.test" }] }],
  });
  const server: Server =
    scheme === "http" ? createHttpServer(listener) : createHttpsServer({ key: pems.private, cert: pems.cert }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  // A TCP server's address is an object.
  return { port: (server.address() as AddressInfo).port, bodies, certificatePem: pems.cert };
}

async function startProxy(options: LocalProxyOptions): Promise<LocalProxy> {
  const proxy = await startLocalProxy(options);
  closers.push(proxy.close);
  return proxy;
}

/** The product's own fetch; the certificate is not what is looked at here. */
function fetchThrough(
  proxy: LocalProxy,
  proxySignIns: ProviderFetchParts["proxySignIns"],
  more: Partial<ProviderFetchParts> = {},
  verifyProc: VerifyProc = (_request, verdict) => verdict(0),
) {
  const net = createStandInNet(() => verifyProc, { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
  return createProviderFetch({ net, proxySignIns, ...more });
}

function saved(store: Map<string, string> = new Map()): ProxySignIns {
  const signIns = createProxySignIns();
  signIns.attach({
    readSecret: (name) => Promise.resolve(ok(store.get(name))),
    saveSecret: (name, value) => {
      store.set(name, value);
      return Promise.resolve(ok());
    },
  });
  return signIns;
}

const post = { method: "POST", body: "grant_type=refresh_token" };

describe.each(["http", "https"] as const)("%s through a proxy", (scheme) => {
  const url = `${scheme}://login.provider.test/token`;

  it("goes there, with the name unresolved", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ hosts: { "login.provider.test": provider.port } });
    const response = await fetchThrough(proxy, saved())(url, post);
    expect(await response.text()).toBe("got grant_type=refresh_token");
    const line = scheme === "https" ? "CONNECT login.provider.test:443" : `POST ${url}`;
    expect(proxy.requests).toEqual([{ line, authorization: undefined }]);
  });

  it("that wants a password gives what was saved for it, once the proxy asks", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
    const signIns = saved();
    await signIns.save({ proxy: proxy.name, ...signIn });
    expect(await (await fetchThrough(proxy, signIns)(url, post)).text()).toBe("got grant_type=refresh_token");
    expect(proxy.requests.map(({ authorization }) => authorization === undefined)).toEqual([true, false]);
    expect(provider.bodies).toEqual(["grant_type=refresh_token"]);
  });

  it("that wants a password and gets none says which proxy it is, and nothing reaches the provider", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
    const error: unknown = await fetchThrough(proxy, saved())(url, post).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: "net::ERR_PROXY_AUTH_REQUESTED", proxy: proxy.name });
    expect(provider.bodies).toEqual([]);
  });

  it("that refuses what was saved gets it once and never again, until a person has saved something else", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
    const signIns = saved();
    const through = fetchThrough(proxy, signIns);
    await signIns.save({ proxy: proxy.name, userName: signIn.userName, password: "yesterday's" });
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(through(url, post)).rejects.toMatchObject({ proxy: proxy.name });
    expect(proxy.requests.filter(({ authorization }) => authorization !== undefined)).toHaveLength(1);
    await signIns.save({ proxy: proxy.name, ...signIn });
    expect((await through(url, post)).status).toBe(200);
  });

  describe.each([
    ["foreseen", true],
    // Each request then has a network stack of its own: a shared one remembers what another request was given.
    ["not foreseen", false],
  ])("that six requests want at once, its name %s", (_what, isForeseen) => {
    async function sixAtOnce(password: string) {
      const provider = await startProvider(scheme);
      const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
      const resolveProxy = (asked: string) => Promise.resolve(proxyList(asked, { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }));
      const store = new Map<string, string>();
      const signIns = saved(store);
      await signIns.save({ proxy: proxy.name, userName: signIn.userName, password });
      const foreseeing = fetchThrough(proxy, signIns, { resolveProxy });
      const through = (): typeof fetch => (isForeseen ? foreseeing : fetchThrough(proxy, signIns));
      const settled = await Promise.allSettled(Array.from({ length: 6 }, () => through()(url, post)));
      const given = proxy.requests.flatMap(({ authorization }) => (authorization === undefined ? [] : [authorization]));
      return { provider, proxy, store, settled, given };
    }

    it("gets a wrong password once, and all of them say which proxy it is", async () => {
      const { proxy, provider, settled, given } = await sixAtOnce("yesterday's");
      const wanted = { status: "rejected", reason: { message: "net::ERR_PROXY_AUTH_REQUESTED", proxy: proxy.name } };
      expect(settled).toMatchObject(Array.from({ length: 6 }, () => wanted));
      expect(given).toHaveLength(1);
      expect(provider.bodies).toEqual([]);
    });

    it("gets the right one from all of them", async () => {
      const { provider, settled } = await sixAtOnce(signIn.password);
      expect(settled).toMatchObject(Array.from({ length: 6 }, () => ({ status: "fulfilled", value: { status: 200 } })));
      expect(provider.bodies).toHaveLength(6);
    });

    it("does not get a wrong one again after a restart, until a person has saved another", async () => {
      const { proxy, store } = await sixAtOnce("yesterday's");
      const signIns = saved(store);
      const through = fetchThrough(proxy, signIns);
      await expect(through(url, post)).rejects.toMatchObject({ proxy: proxy.name });
      expect(proxy.requests.filter(({ authorization }) => authorization !== undefined)).toHaveLength(1);
      await signIns.save({ proxy: proxy.name, ...signIn });
      expect((await through(url, post)).status).toBe(200);
    });
  });

  it("that has a password nobody asks for holds no request up for long", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ hosts: { "login.provider.test": provider.port } });
    const resolveProxy = () => Promise.resolve(`PROXY ${proxy.name}`);
    const signIns = saved();
    await signIns.save({ proxy: proxy.name, ...signIn });
    const through = fetchThrough(proxy, signIns, { resolveProxy });
    const answers = await Promise.all(Array.from({ length: 6 }, () => through(url, post)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(proxy.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("lets the others go on when the one that tries is given up", async () => {
    const provider = await startProvider(scheme);
    const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
    const signIns = saved();
    await signIns.save({ proxy: proxy.name, ...signIn });
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const resolveProxy = () => Promise.resolve(`PROXY ${proxy.name}`);
    const takeAhead: ProxySignIns["takeAhead"] = async (name, ending) => {
      const taken = await signIns.takeAhead(name, ending);
      onAsked();
      return taken;
    };
    const first = fetchThrough(proxy, { ...signIns, takeAhead }, { resolveProxy })(url, { ...post, signal: controller.signal });
    await asked;
    const second = fetchThrough(proxy, signIns, { resolveProxy })(url, post);
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect((await second).status).toBe(200);
  });

  it("whose schemes nobody can do is named by the session", async () => {
    const proxy = await startProxy({ signIn, challenge: "Exotic" });
    const resolveProxy = (asked: string) => Promise.resolve(proxyList(asked, { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }));
    const named = fetchThrough(proxy, saved(), { resolveProxy })(url, post);
    await expect(named).rejects.toMatchObject({ message: "net::ERR_PROXY_AUTH_REQUESTED", proxy: proxy.name });
    const unnamed: unknown = await fetchThrough(proxy, saved())(url, post).catch((reason: unknown) => reason);
    expect(unnamed).toBeInstanceOf(Error);
    expect(unnamed).not.toHaveProperty("proxy");
  });
});

describe("a renewal through a proxy", () => {
  /** The product's own client, over the product's own fetch. */
  function refresh(proxy: LocalProxy, signIns: ProxySignIns, verifyProc?: VerifyProc) {
    const oauth = createOAuthClient({ fetch: fetchThrough(proxy, signIns, {}, verifyProc), nowMs: Date.now });
    return oauth.refresh(mazdaClient("https://login.provider.test"), oldGrant, new AbortController().signal);
  }

  it("that wants a password goes through once a person has entered it", async () => {
    const provider = await startProvider("https", JSON.stringify({ access_token: "new-access", expires_in: 3600 }));
    const proxy = await startProxy({ signIn, hosts: { "login.provider.test": provider.port } });
    const signIns = saved();
    const first = await refresh(proxy, signIns);
    expect(first).toMatchObject({ kind: "not-sent", failure: { code: "proxy_sign_in_needed", params: { proxy: proxy.name } } });
    expect(provider.bodies).toEqual([]);
    const asked = first.kind === "not-sent" ? String(first.failure.params["proxy"]) : "";
    await signIns.save({ proxy: asked, ...signIn });
    expect(await refresh(proxy, signIns)).toMatchObject({ kind: "rotated", grant: { accessToken: "new-access" } });
  });

  it("whose provider's certificate has ended asks to look at the clock, and sends nothing", async () => {
    const provider = await startProvider("https", "{}", new Date("2009-01-01"));
    const usual = getCACertificates();
    closers.push(() => setDefaultCACertificates(usual));
    setDefaultCACertificates([...usual, provider.certificatePem]);
    const proxy = await startProxy({ hosts: { "login.provider.test": provider.port } });
    expect(await refresh(proxy, saved(), null)).toMatchObject({
      kind: "not-sent",
      failure: { code: "certificate_date_invalid", params: { provider: "Mazda" } },
    });
    expect(provider.bodies).toEqual([]);
  });
});

describe("https through a proxy", () => {
  it("that is not there fails before anything is sent", async () => {
    const proxy = await startLocalProxy();
    await proxy.close();
    await expect(fetchThrough(proxy, saved())("https://login.provider.test/")).rejects.toThrow("net::ERR_PROXY_CONNECTION_FAILED");
  });
});

describe("the proxy of the environment", () => {
  const environment = { https_proxy: "http://proxy.example:3128", NO_PROXY: "intern.example, .corp.example,exact.example:8443" };

  it.each([
    ["https://login.example/", "PROXY proxy.example:3128"],
    ["http://login.example/", "DIRECT"],
    ["https://intern.example/", "DIRECT"],
    ["https://a.intern.example/", "DIRECT"],
    ["https://a.corp.example/", "DIRECT"],
    ["https://exact.example:8443/", "DIRECT"],
    ["https://exact.example/", "PROXY proxy.example:3128"],
    ["https://127.0.0.1:8443/", "DIRECT"],
    ["https://[::1]/", "DIRECT"],
  ])("for %s is %s", (url, expected) => {
    expect(proxyList(url, environment)).toBe(expected);
  });

  it("may be written without a scheme, and passed by altogether", () => {
    const url = new URL("https://login.example");
    expect(environmentProxy(url, { HTTPS_PROXY: "proxy.example:3128" })?.href).toBe("http://proxy.example:3128/");
    expect(environmentProxy(url, { HTTPS_PROXY: "proxy.example:3128", NO_PROXY: "*" })).toBeUndefined();
    expect(environmentProxy(url, { HTTPS_PROXY: "http://" })).toBeUndefined();
  });
});
