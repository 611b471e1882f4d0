import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import { createProxySignIns, type ProxySignIns, type ProxyTurn } from "./proxy-sign-ins.ts";
import type { ProxySignIn, ProxySignInVault } from "./proxy-sign-ins-store.ts";

const signIn = { userName: "jdoe", password: "secret" };
const newer = { userName: "jdoe", password: "newer" };
const never = new AbortController().signal;

function vaultOf(secrets: Map<string, string>): ProxySignInVault {
  return {
    readSecret: (name) => Promise.resolve(ok(secrets.get(name))),
    saveSecret: (name, value) => {
      secrets.set(name, value);
      return Promise.resolve(ok());
    },
  };
}

function opened(secrets: Map<string, string> = new Map(), longestWaitMs?: number): ProxySignIns {
  const signIns = createProxySignIns(longestWaitMs === undefined ? {} : { longestWaitMs });
  signIns.attach(vaultOf(secrets));
  return signIns;
}

async function turnOf(signIns: ProxySignIns, proxy = "p:1"): Promise<ProxyTurn> {
  const taken = await signIns.take(proxy, never);
  if (taken.kind !== "turn") throw new Error(taken.kind);
  return taken.turn;
}

/** What a proxy would get now; lets others have their turn. */
async function given(signIns: ProxySignIns, proxy = "p:1"): Promise<ProxySignIn | undefined> {
  const taken = await signIns.take(proxy, never);
  if (taken.kind !== "turn") return undefined;
  taken.turn.end("unknown");
  return taken.turn.signIn;
}

describe("the sign-ins of proxies", () => {
  it("are found again for the same proxy, however a person wrote it, and for no other", async () => {
    const secrets = new Map<string, string>();
    const signIns = opened(secrets);
    expect(await signIns.save({ proxy: " HTTP://Proxy.example:8080/ ", ...signIn })).toEqual(ok());
    expect([...secrets.keys()]).toEqual(["proxy:proxy.example:8080"]);
    expect(await given(signIns, "proxy.example:8080")).toEqual(signIn);
    expect(await given(signIns, "proxy.example:8081")).toBeUndefined();
  });

  it("are replaced by newer ones", async () => {
    const signIns = opened();
    await signIns.save({ proxy: "p:1", ...signIn });
    await signIns.save({ proxy: "p:1", ...newer });
    expect(await given(signIns)).toEqual(newer);
  });

  it("that were refused are not given again, until a person has saved some, even the same", async () => {
    const signIns = opened();
    await signIns.save({ proxy: "p:1", ...signIn });
    (await turnOf(signIns)).end("refused");
    expect(await given(signIns)).toBeUndefined();
    await signIns.save({ proxy: "p:1", ...signIn });
    expect(await given(signIns)).toEqual(signIn);
  });

  it("that were refused are not given by the next run either", async () => {
    const secrets = new Map<string, string>();
    const first = opened(secrets);
    await first.save({ proxy: "p:1", ...signIn });
    await first.save({ proxy: "p:2", ...signIn });
    (await turnOf(first)).end("refused");
    // Behind the mark, since writes go one after the other.
    await first.save({ proxy: "p:3", ...signIn });
    const next = opened(secrets);
    expect(await given(next)).toBeUndefined();
    expect(await given(next, "p:2")).toEqual(signIn);
    await next.save({ proxy: "p:1", ...signIn });
    expect(await given(opened(secrets))).toEqual(signIn);
  });

  it("that were refused after a person has saved others leave those alone", async () => {
    const secrets = new Map<string, string>();
    const signIns = opened(secrets);
    await signIns.save({ proxy: "p:1", ...signIn });
    const turn = await turnOf(signIns);
    const saving = signIns.save({ proxy: "p:1", ...newer });
    turn.end("refused");
    await saving;
    await signIns.save({ proxy: "p:3", ...signIn });
    expect(await given(signIns)).toEqual(newer);
    expect(await given(opened(secrets))).toEqual(newer);
  });

  it("that were refused stay so where the vault cannot keep that", async () => {
    const secrets = new Map<string, string>();
    const signIns = opened(secrets);
    await signIns.save({ proxy: "p:1", ...signIn });
    const full = () => Promise.reject(new Error("disk full"));
    signIns.attach({ ...vaultOf(secrets), saveSecret: full });
    (await turnOf(signIns)).end("refused");
    expect(await given(signIns)).toBeUndefined();
  });

  it("are neither there nor kept while the vault is closed", async () => {
    const secrets = new Map<string, string>();
    const signIns = createProxySignIns();
    expect(await signIns.save({ proxy: "p:1", ...signIn })).toMatchObject({ ok: false, error: { code: "vault_locked" } });
    signIns.attach(vaultOf(secrets));
    await signIns.save({ proxy: "p:1", ...signIn });
    signIns.detach();
    expect(await given(signIns)).toBeUndefined();
    expect(await signIns.save({ proxy: "p:2", ...signIn })).toMatchObject({ ok: false });
    expect(secrets.size).toBe(1);
  });

  it.each(["", "{", "null", '{"userName":5}'])("that cannot be read (%j) count as not there", async (stored) => {
    expect(await given(opened(new Map([["proxy:p:1", stored]])))).toBeUndefined();
  });

  it("say why they could not be kept", async () => {
    const broken = () => Promise.resolve(err(failure("vault_access_denied")));
    const signIns = createProxySignIns();
    signIns.attach({ readSecret: broken, saveSecret: broken });
    expect(await signIns.save({ proxy: "p:1", ...signIn })).toMatchObject({ ok: false, error: { code: "vault_access_denied" } });
    expect(await given(signIns)).toBeUndefined();
  });
});

describe("a sign-in that nobody knows to work", () => {
  async function withOneTrying(longestWaitMs?: number) {
    const signIns = opened(new Map(), longestWaitMs);
    await signIns.save({ proxy: "p:1", ...signIn });
    return { signIns, first: await turnOf(signIns) };
  }

  it("is tried by one request; once it has worked, it is given to all", async () => {
    const { signIns, first } = await withOneTrying();
    const others = [turnOf(signIns), turnOf(signIns)];
    first.end("accepted");
    for (const other of others) expect((await other).signIn).toEqual(signIn);
    expect(await signIns.takeAhead("p:1", never)).toEqual({ kind: "nothing" });
  });

  it("is not given to those who waited, once it was refused", async () => {
    const { signIns, first } = await withOneTrying();
    const others = [signIns.take("p:1", never), signIns.takeAhead("p:1", never)];
    first.end("refused");
    // Too late to mean anything.
    first.end("accepted");
    for (const other of others) expect(await other).toEqual({ kind: "nothing" });
  });

  it("is tried by the next one when the first has found out nothing", async () => {
    const { signIns, first } = await withOneTrying();
    const other = signIns.take("p:1", never);
    first.end("unknown");
    expect(await other).toMatchObject({ kind: "turn", turn: { signIn } });
  });

  it("is not waited for where its proxy has let a request through without asking", async () => {
    const signIns = opened();
    await signIns.save({ proxy: "p:1", ...signIn });
    const first = await signIns.takeAhead("p:1", never);
    if (first.kind !== "turn") throw new Error(first.kind);
    first.turn.end("not-asked");
    expect(await signIns.takeAhead("p:1", never)).toEqual({ kind: "nothing" });
    const second = await turnOf(signIns);
    const third = signIns.take("p:1", never);
    second.end("refused");
    expect(await third).toEqual({ kind: "nothing" });
  });

  it("is not waited for without end, nor by those who want it no more", async () => {
    const { signIns } = await withOneTrying(1);
    expect(await signIns.take("p:1", never)).toEqual({ kind: "too-long" });
    const patient = await withOneTrying();
    const controller = new AbortController();
    const waiting = patient.signIns.takeAhead("p:1", controller.signal);
    controller.abort();
    expect(await waiting).toEqual({ kind: "too-long" });
    expect(await patient.signIns.take("p:1", controller.signal)).toEqual({ kind: "too-long" });
  });

  it("holds up no other proxy", async () => {
    const { signIns } = await withOneTrying();
    await signIns.save({ proxy: "p:2", ...signIn });
    expect((await turnOf(signIns, "p:2")).signIn).toEqual(signIn);
  });

  it("that has worked and then is refused is not given again", async () => {
    const { signIns, first } = await withOneTrying();
    first.end("accepted");
    (await turnOf(signIns)).end("refused");
    expect(await signIns.take("p:1", never)).toEqual({ kind: "nothing" });
  });
});
