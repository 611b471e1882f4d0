import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import { createProxySignIns, type ProxySignInStore } from "./proxy-sign-ins.ts";

const signIn = { userName: "jdoe", password: "secret" };

function storeIn(secrets: Map<string, string>): ProxySignInStore {
  return {
    readSecret: (name) => Promise.resolve(ok(secrets.get(name))),
    saveSecret: (name, value) => {
      secrets.set(name, value);
      return Promise.resolve(ok());
    },
  };
}

describe("the sign-ins of proxies", () => {
  it("are found again for the same proxy, however a person wrote it, and for no other", async () => {
    const secrets = new Map<string, string>();
    const signIns = createProxySignIns();
    signIns.attach(storeIn(secrets));
    expect(await signIns.save({ proxy: " HTTP://Proxy.example:8080/ ", ...signIn })).toEqual(ok());
    expect([...secrets.keys()]).toEqual(["proxy:proxy.example:8080"]);
    expect(await signIns.find("proxy.example:8080")).toEqual(signIn);
    expect(await signIns.find("proxy.example:8081")).toBeUndefined();
  });

  it("are replaced by newer ones", async () => {
    const signIns = createProxySignIns();
    signIns.attach(storeIn(new Map()));
    await signIns.save({ proxy: "p:1", ...signIn });
    await signIns.save({ proxy: "p:1", userName: "jdoe", password: "newer" });
    expect(await signIns.find("p:1")).toEqual({ userName: "jdoe", password: "newer" });
  });

  it("that were refused are not found again, until a person has saved some", async () => {
    const signIns = createProxySignIns();
    signIns.attach(storeIn(new Map()));
    await signIns.save({ proxy: "p:1", ...signIn });
    signIns.refused("p:1", { userName: "jdoe", password: "an older one" });
    expect(await signIns.find("p:1")).toEqual(signIn);
    signIns.refused("p:1", signIn);
    expect(await signIns.find("p:1")).toBeUndefined();
    await signIns.save({ proxy: "p:1", ...signIn });
    expect(await signIns.find("p:1")).toEqual(signIn);
  });

  it("are neither there nor kept while the vault is closed", async () => {
    const secrets = new Map<string, string>();
    const signIns = createProxySignIns();
    expect(await signIns.save({ proxy: "p:1", ...signIn })).toMatchObject({ ok: false, error: { code: "vault_locked" } });
    signIns.attach(storeIn(secrets));
    await signIns.save({ proxy: "p:1", ...signIn });
    signIns.detach();
    expect(await signIns.find("p:1")).toBeUndefined();
    expect(await signIns.save({ proxy: "p:2", ...signIn })).toMatchObject({ ok: false });
    expect(secrets.size).toBe(1);
  });

  it.each(["", "{", "null", '{"userName":5}'])("that cannot be read (%j) count as not there", async (stored) => {
    const signIns = createProxySignIns();
    signIns.attach(storeIn(new Map([["proxy:p:1", stored]])));
    expect(await signIns.find("p:1")).toBeUndefined();
  });

  it("say why they could not be kept", async () => {
    const broken = () => Promise.resolve(err(failure("vault_access_denied")));
    const signIns = createProxySignIns();
    signIns.attach({ readSecret: broken, saveSecret: broken });
    expect(await signIns.save({ proxy: "p:1", ...signIn })).toMatchObject({ ok: false, error: { code: "vault_access_denied" } });
    expect(await signIns.find("p:1")).toBeUndefined();
  });
});
