import { afterEach, describe, expect, it } from "vitest";
import { requestLoopback } from "./loopback-request.ts";
import { type ProviderProcess, spawnProvider } from "./provider-process.ts";
import { macs7, TestClient, tokensOf } from "./test-client.ts";

const running: ProviderProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

function track(provider: ProviderProcess): ProviderProcess {
  running.push(provider);
  return provider;
}

describe("a stand-in provider in its own process", () => {
  it("serves Mazda over https and obeys commands", async () => {
    const provider = track(await spawnProvider("mazda", { clients: [macs7], canary: "Far" }));
    const { origin, certificatePem } = provider;
    const server = { authorizeUrl: `${origin}/oauth/authorize`, tokenUrl: `${origin}/oauth/token`, certificatePem: certificatePem ?? "" };
    const client = new TestClient(server);
    const tokens = await client.connect();
    const callApi = async (token: string): Promise<number> =>
      (await requestLoopback(`${origin}/dms/api/v1/workorders`, { certificatePem, headers: { Authorization: `Bearer ${token}` } })).status;
    expect(await callApi(tokens.access_token)).toBe(200);
    expect(await provider.command("expireAccessTokens")).toBeNull();
    expect(await callApi(tokens.access_token)).toBe(401);
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    expect(await provider.command("issuedSecrets")).toContain(renewed.access_token);
    expect(await provider.command("revokeAll")).toBeNull();
    expect((await client.refresh(renewed.refresh_token)).status).toBe(400);
    expect(await provider.command("counters")).toMatchObject({ codeExchanges: 1, refreshes: 1, apiRejections: 1 });
  });

  it("serves Webfleet over http and takes changes of behaviour", async () => {
    const provider = track(await spawnProvider("webfleet", { clients: [macs7], behaviour: { accessTokenLifetimeSeconds: 120 } }));
    const realm = `${provider.origin}/auth/realms/webfleet/protocol/openid-connect`;
    const client = new TestClient({ authorizeUrl: `${realm}/auth`, tokenUrl: `${realm}/token` });
    const tokens = await client.connect();
    expect(tokens.expires_in).toBe(120);
    await provider.command("setBehaviour", { behaviour: { tokenDown: 503 } });
    expect((await client.refresh(tokens.refresh_token)).status).toBe(503);
  });

  it("moves its clock on and cuts what hangs", async () => {
    const provider = track(await spawnProvider("webfleet", { clients: [macs7], behaviour: { refreshTokenLifetimeSeconds: 60 } }));
    const realm = `${provider.origin}/auth/realms/webfleet/protocol/openid-connect`;
    const client = new TestClient({ authorizeUrl: `${realm}/auth`, tokenUrl: `${realm}/token` }, { scope: "offline_access" });
    const tokens = await client.connect();
    await provider.command("setBehaviour", { behaviour: { nextTokenResponses: [{ kind: "hang", when: "after-reading" }] } });
    const hanging = client.refresh(tokens.refresh_token);
    await expect.poll(() => provider.command("counters")).toMatchObject({ tokenRequests: { refresh_token: 1 } });
    await provider.command("cutHanging");
    await expect(hanging).rejects.toThrow(/socket hang up|ECONNRESET/);
    const renewed = tokensOf(await client.refresh(tokens.refresh_token));
    await provider.command("moveClock", { seconds: 61 });
    expect((await client.refresh(renewed.refresh_token)).status).toBe(400);
  });

  it("answers several commands in order and says why it refuses one", async () => {
    const provider = track(await spawnProvider("mazda", { clients: [macs7], protocol: "http" }));
    const answers = await Promise.allSettled([
      provider.command("issuedSecrets"),
      provider.command("setBehaviour", { behaviour: { noSuchField: 1 } }),
      provider.command("counters"),
    ]);
    expect(answers).toMatchObject([
      { status: "fulfilled", value: [] },
      { status: "rejected" },
      { status: "fulfilled", value: { approvals: 0 } },
    ]);
    await expect(provider.command("setBehaviour", { behaviour: { noSuchField: 1 } })).rejects.toThrow("noSuchField");
  });

  it("ends when stopped, and commands then fail", async () => {
    const provider = track(await spawnProvider("mazda", { clients: [macs7], protocol: "http" }));
    await provider.stop();
    await expect(requestLoopback(provider.origin)).rejects.toThrow("ECONNREFUSED");
    await expect(provider.command("counters")).rejects.toThrow("ended");
  });
});
