import { describe, expect, it } from "vitest";
import { authority, parseLoopbackUri, uriWithPort } from "./loopback-uri.ts";

describe("a redirect URI on this computer", () => {
  it.each([
    ["http://127.0.0.1/cb", "http", "127.0.0.1", 0, "/cb"],
    ["https://127.0.0.1:8080/dms/oauth/code", "https", "127.0.0.1", 8080, "/dms/oauth/code"],
    ["http://localhost:4242", "http", "localhost", 4242, "/"],
    ["https://[::1]:9000/a/b?x=1", "https", "[::1]", 9000, "/a/b"],
    // URL would hide the port that is the scheme's default.
    ["http://127.0.0.1:80/cb", "http", "127.0.0.1", 80, "/cb"],
    ["https://LOCALHOST:443/cb", "https", "localhost", 443, "/cb"],
  ] as const)("%s is understood", (registered, scheme, host, port, path) => {
    expect(parseLoopbackUri(registered)).toEqual({ registered, scheme, host, port, path });
  });

  it.each([
    "https://dms.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "http://user@127.0.0.1/cb",
    "http://127.0.0.1:99999/cb",
    "http://127.0.0.1/cb#x",
    "http://0.0.0.0/cb",
    "ftp://127.0.0.1/cb",
    "dms-connect://127.0.0.1/cb",
    "127.0.0.1/cb",
    "",
  ])("%j is none", (registered) => {
    expect(parseLoopbackUri(registered)).toBeUndefined();
  });

  it.each([
    ["http://127.0.0.1/cb?a=%41", 5000, "http://127.0.0.1:5000/cb?a=%41", "127.0.0.1:5000"],
    ["http://localhost", 5000, "http://localhost:5000", "localhost:5000"],
    ["https://[::1]:443/cb", 443, "https://[::1]:443/cb", "[::1]"],
    ["http://127.0.0.1:80/cb", 80, "http://127.0.0.1:80/cb", "127.0.0.1"],
    ["https://127.0.0.1:80/cb", 80, "https://127.0.0.1:80/cb", "127.0.0.1:80"],
  ])("%s on port %i is sent as %s and opened under %s", (registered, port, sent, host) => {
    const uri = parseLoopbackUri(registered);
    if (uri === undefined) throw new Error("not a loopback URI");
    expect(uriWithPort(uri, port)).toBe(sent);
    expect(authority(uri, port)).toBe(host);
  });
});
