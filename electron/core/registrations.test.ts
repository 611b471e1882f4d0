import { describe, expect, it } from "vitest";
import { Registrations } from "./registrations.ts";
import { MemoryVault } from "./testing/memory-vault.ts";
import { mazda, registrationInput, webfleet } from "./testing/records.ts";
import { codeOf, valueOf } from "./testing/world.ts";

async function opened(vault = new MemoryVault()): Promise<{ vault: MemoryVault; registrations: Registrations }> {
  const registrations = new Registrations(vault, [mazda, webfleet]);
  valueOf(await registrations.open());
  return { vault, registrations };
}

function withoutSecret() {
  const { clientSecret: _absent, ...input } = registrationInput({ clientId: "other-id" });
  return input;
}

describe("saving registrations", () => {
  it("keeps the stored secret when none is given", async () => {
    const { registrations } = await opened();
    valueOf(await registrations.save([registrationInput({ clientSecret: "first" })]));
    const { clientSecret: _first, ...unchanged } = registrationInput({ scope: "write" });
    valueOf(await registrations.save([unchanged]));
    const client = valueOf(await registrations.resolve("mazda", "production"));
    expect([client.clientSecret, client.registration.scope]).toEqual(["first", "write"]);
  });

  it("asks for the secret again when the client id or an address changes, so that it never goes to another host", async () => {
    const { registrations } = await opened();
    valueOf(await registrations.save([registrationInput({ clientSecret: "first" })]));
    const { clientSecret: _first, ...same } = registrationInput();
    const moved = { ...same, endpoints: { tokenEndpoint: "https://elsewhere.example/token" } };
    for (const input of [withoutSecret(), moved]) {
      expect(await registrations.save([input])).toMatchObject({
        error: { code: "registration_invalid", params: { field: "clientSecret" } },
      });
    }
  });

  it("refuses a first registration without a secret", async () => {
    const { registrations } = await opened();
    expect(await registrations.save([withoutSecret()])).toMatchObject({
      error: { code: "registration_invalid", params: { field: "clientSecret" } },
    });
  });

  it("says that the vault failed, not that the secret is missing, when the stored secret cannot be read", async () => {
    const { vault, registrations } = await opened();
    valueOf(await registrations.save([registrationInput()]));
    vault.fail("readRegistration");
    expect(codeOf(await registrations.save([withoutSecret()]))).toBe("vault_write_failed");
  });

  it("stores none when one of them is wrong", async () => {
    const { vault, registrations } = await opened();
    const saved = await registrations.save([registrationInput(), registrationInput({ environment: "acceptance", redirectUris: [] })]);
    expect(codeOf(saved)).toBe("registration_invalid");
    expect(registrations.list()).toEqual([]);
    expect(vault.calls).not.toContain("saveRegistrations");
  });

  it("refuses a provider it does not know and names those it does", async () => {
    const { registrations } = await opened();
    expect(await registrations.save([registrationInput({ provider: "volvo" })])).toMatchObject({
      error: { code: "provider_unknown", params: { provider: "volvo", known: "mazda, webfleet" } },
    });
  });

  it("shows and announces what was saved, without the secret", async () => {
    const { registrations } = await opened();
    const announced: unknown[] = [];
    registrations.onChanged((views) => announced.push(views));
    valueOf(await registrations.save([registrationInput({ clientSecret: "very-secret" })]));
    expect(registrations.list()).toMatchObject([{ provider: "mazda", clientId: "client-id", hasClientSecret: true }]);
    expect(announced).toEqual([registrations.list()]);
    expect(JSON.stringify(announced)).not.toContain("very-secret");
  });

  it("shows and announces nothing new when the vault refuses", async () => {
    const { vault, registrations } = await opened();
    const announced: unknown[] = [];
    registrations.onChanged((views) => announced.push(views));
    vault.fail("saveRegistrations");
    expect(codeOf(await registrations.save([registrationInput()]))).toBe("vault_write_failed");
    expect([registrations.list(), announced]).toEqual([[], []]);
  });

  it("cannot be used any more once removed", async () => {
    const { registrations } = await opened();
    valueOf(await registrations.save([registrationInput()]));
    valueOf(await registrations.remove("mazda", "production"));
    expect(codeOf(await registrations.resolve("mazda", "production"))).toBe("registration_missing");
  });
});

describe("resolving a client", () => {
  it("lays the registration's endpoints over the provider's", async () => {
    const { registrations } = await opened();
    valueOf(await registrations.save([registrationInput({ endpoints: { tokenEndpoint: "https://other.test/token" } })]));
    expect(valueOf(await registrations.resolve("mazda", "production")).endpoints).toEqual({
      authorizationEndpoint: "https://mazda.test/authorize",
      tokenEndpoint: "https://other.test/token",
    });
  });

  it("fails for an unknown provider, an environment the provider lacks and one not registered", async () => {
    const { registrations } = await opened();
    expect(codeOf(await registrations.resolve("volvo", "production"))).toBe("provider_unknown");
    expect(codeOf(await registrations.resolve("webfleet", "acceptance"))).toBe("registration_missing");
    expect(codeOf(await registrations.resolve("mazda", "production"))).toBe("registration_missing");
  });
});

describe("the environment a request means", () => {
  it("is the named one, else the only registered one, else production", async () => {
    const { registrations } = await opened();
    expect(registrations.environmentOf("mazda", undefined)).toEqual({ ok: true, value: "production" });
    valueOf(await registrations.save([registrationInput({ environment: "acceptance" })]));
    expect(registrations.environmentOf("mazda", undefined)).toEqual({ ok: true, value: "acceptance" });
    expect(registrations.environmentOf("mazda", "production")).toEqual({ ok: true, value: "production" });
    valueOf(await registrations.save([registrationInput()]));
    expect(registrations.environmentOf("mazda", undefined)).toEqual({ ok: true, value: "production" });
  });

  it("does not exist for an unknown provider", async () => {
    const { registrations } = await opened();
    expect(codeOf(registrations.environmentOf("volvo", "production"))).toBe("provider_unknown");
  });
});

describe("what the window is told of providers", () => {
  it("names environments, registration, organisations and what the provider can do", async () => {
    const { registrations } = await opened();
    valueOf(await registrations.save([registrationInput({ endpoints: { grantScreensUrl: "https://mazda.test/grants" } })]));
    expect(registrations.providerViews()).toEqual([
      {
        id: "mazda",
        name: "Mazda",
        canRevoke: false,
        hasOrganisations: true,
        hasGrantScreens: true,
        environments: [
          { environment: "acceptance", registered: false, organisations: [] },
          { environment: "production", registered: true, organisations: ["10030/MMD", "10031/MMD"] },
        ],
      },
      {
        id: "webfleet",
        name: "Webfleet",
        canRevoke: true,
        hasOrganisations: false,
        hasGrantScreens: false,
        environments: [{ environment: "production", registered: false, organisations: [] }],
      },
    ]);
  });
});
