import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createNetworkWatch } from "./network-watch.ts";

type Parts = Parameters<typeof createNetworkWatch>[0];

/** A network whose names and proxies the test knows; `asked` holds the names that were looked up. */
function network(names: readonly string[], proxy = "DIRECT") {
  const state = { online: true, names, proxy, asked: [] as string[] };
  const parts: Parts = {
    net: {
      isOnline: () => state.online,
      resolveHost: async (host, options) => {
        expect(options).toEqual({ cacheUsage: "disallowed" });
        state.asked.push(host);
        if (!state.names.includes(host)) throw new Error("net::ERR_NAME_NOT_RESOLVED");
        return { endpoints: [{ address: "192.0.2.1", family: "ipv4" }] };
      },
    },
    session: { resolveProxy: async () => state.proxy },
  };
  return { state, watch: createNetworkWatch(parts) };
}

const never = new AbortController().signal;
afterEach(() => vi.useRealTimers());

describe("whether the way to a URL begins", () => {
  it("is whether its name resolves", async () => {
    const { watch } = network(["idp.example"]);
    expect(await watch.canReach("https://idp.example/token", never)).toBe(true);
    expect(await watch.canReach("https://other.example/token", never)).toBe(false);
  });

  it.each(["http://127.0.0.1:8080/token", "https://localhost/token", "https://[::1]:1/token", "https://192.0.2.7/token"])(
    "needs no name: %s",
    async (url) => {
      const { watch, state } = network([], "PROXY nowhere.example:1");
      expect(await watch.canReach(url, never)).toBe(true);
      expect(state.asked).toEqual([]);
    },
  );

  it("is whether the proxy's name resolves where there is a proxy, since only the proxy knows the provider's", async () => {
    const { watch, state } = network(["proxy.example"], "PROXY proxy.example:8080");
    expect(await watch.canReach("https://idp.example/token", never)).toBe(true);
    expect(state.asked).toEqual(["proxy.example"]);
    state.names = ["idp.example"];
    expect(await watch.canReach("https://idp.example/token", never)).toBe(false);
  });

  it.each(["PROXY 10.0.0.1:3128", "HTTPS 127.0.0.1:443", "SOCKS5 [fd00::1]:1080"])("is so with a proxy by address: %s", async (proxy) => {
    expect(await network([], proxy).watch.canReach("https://idp.example/", never)).toBe(true);
  });

  it("is so if one of several ways begins", async () => {
    const { watch, state } = network(["idp.example"], "PROXY away.example:1;SOCKS gone.example:2; DIRECT");
    expect(await watch.canReach("https://idp.example/", never)).toBe(true);
    expect(state.asked).toEqual(["away.example", "gone.example", "idp.example"]);
  });

  it("is the direct one where the proxy cannot be found out", async () => {
    const failing: Parts = {
      net: { isOnline: () => true, resolveHost: async () => ({ endpoints: [{ address: "192.0.2.1", family: "ipv4" }] }) },
      session: { resolveProxy: () => Promise.reject(new Error("net::ERR_PAC_SCRIPT_FAILED")) },
    };
    expect(await createNetworkWatch(failing).canReach("https://idp.example/", never)).toBe(true);
    expect(await network(["idp.example"], "rubbish").watch.canReach("https://idp.example/", never)).toBe(true);
  });

  it("is not known of what is no URL, or of a name without addresses", async () => {
    expect(await network([]).watch.canReach("no url", never)).toBe(false);
    const empty: Parts = {
      net: { isOnline: () => true, resolveHost: async () => ({ endpoints: [] }) },
      session: { resolveProxy: async () => "DIRECT" },
    };
    expect(await createNetworkWatch(empty).canReach("https://idp.example/", never)).toBe(false);
  });

  it("is no longer waited for when aborted", async () => {
    const asked = new EventTarget();
    const silent: Parts = {
      net: {
        isOnline: () => true,
        resolveHost: () => {
          asked.dispatchEvent(new Event("asked"));
          return new Promise(() => undefined);
        },
      },
      session: { resolveProxy: async () => "DIRECT" },
    };
    const watch = createNetworkWatch(silent);
    const abort = new AbortController();
    const isAsked = once(asked, "asked");
    const answer = watch.canReach("https://idp.example/", abort.signal);
    await isAsked;
    abort.abort();
    expect(await answer).toBe(false);
    expect(await watch.canReach("http://127.0.0.1/", abort.signal)).toBe(false);
  });
});

describe("a network that comes and goes", () => {
  it("is told once a change, and not any more after it was stopped", () => {
    vi.useFakeTimers();
    const { watch, state } = network([]);
    const seen: boolean[] = [];
    const stop = watch.onChanged(() => seen.push(watch.isOnline()));
    const stopOther = watch.onChanged(() => undefined);
    vi.advanceTimersByTime(60_000);
    state.online = false;
    vi.advanceTimersByTime(60_000);
    state.online = true;
    vi.advanceTimersByTime(60_000);
    expect(seen).toEqual([false, true]);
    stop();
    state.online = false;
    vi.advanceTimersByTime(60_000);
    expect(seen).toEqual([false, true]);
    stopOther();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not watched while nobody listens", () => {
    vi.useFakeTimers();
    const { watch, state } = network([]);
    expect(vi.getTimerCount()).toBe(0);
    state.online = false;
    let told = 0;
    watch.onChanged(() => (told += 1))();
    watch.onChanged(() => (told += 1));
    vi.advanceTimersByTime(60_000);
    expect(told).toBe(0);
  });
});
