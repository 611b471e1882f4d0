import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { RegistrationView } from "../../shared/views.ts";
import type { StoredState } from "../core/connection-state.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import { active, failureOf, grant, jane, john, nowMs, Profile, record, valueOf } from "./testing/profile.ts";

const attempt = { attemptId: "attempt-1", startedAtMs: nowMs };
const states: readonly StoredState[] = [
  { kind: "Active", grant: grant("a") },
  { kind: "Active", grant: { accessToken: "t", obtainedAtMs: 1, accessTokenExpiresAtMs: 2, grantExpiryIsEstimate: false } },
  { kind: "Refreshing", grant: grant("b"), attempt },
  { kind: "InDoubt", grant: grant("c"), attempt },
  { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) },
  { kind: "Revoking", grant: grant("d") },
  { kind: "Revoking", grant: grant("e"), failure: failure("provider_busy", { provider: "Mazda", status: 503 }, { retryAfterSeconds: 30 }) },
];

const registration: RegistrationView = {
  provider: "mazda",
  environment: "acceptance",
  clientId: "dealer-api-key",
  hasClientSecret: true,
  redirectUris: ["http://127.0.0.1:53682/callback"],
  scope: "openid",
  organisations: ["10030/MMD"],
  clientAuthentication: "basic",
  basicEncoding: "raw",
  pkce: true,
  endpoints: { tokenEndpoint: "https://idp.example/token" },
};

const client: DmsClientRecord = {
  clientId: "client-1",
  name: "DMS",
  publisher: "Vendor",
  clientKey: "client-key-0123456789",
  access: { users: ["mmd10030.johndoe"], providers: "all" },
  pairedAtMs: nowMs,
};

describe("connections", () => {
  it.each(states)("come back as committed: $kind", async (state) => {
    const profile = new Profile();
    const first = await profile.open();
    valueOf(await first.vault.commitConnection(record(john, 1, state)));
    first.close();
    const second = await profile.open();
    expect(valueOf(await second.vault.readConnection(john))).toEqual(record(john, 1, state));
  });

  it("are listed without opening tokens", async () => {
    const { vault } = await new Profile().open();
    valueOf(await vault.commitConnection(active(john, 1)));
    valueOf(
      await vault.commitConnection(record(jane, 1, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) })),
    );
    expect(valueOf(await vault.listConnections())).toEqual([
      {
        key: jane,
        organisation: "10030/MMD",
        connectedAtMs: nowMs,
        stateKind: "ReconnectRequired",
        failure: failure("grant_dead", { provider: "Mazda" }),
        grantExpiryIsEstimate: false,
      },
      {
        key: john,
        organisation: "10030/MMD",
        connectedAtMs: nowMs,
        stateKind: "Active",
        accessTokenExpiresAtMs: nowMs + 300_000,
        grantExpiresAtMs: nowMs + 86_400_000,
        grantExpiryIsEstimate: true,
      },
    ]);
  });

  it("are absent until committed", async () => {
    const { vault } = await new Profile().open();
    expect(valueOf(await vault.readConnection(john))).toBeUndefined();
  });

  it("are replaced by the next generation only", async () => {
    const { vault } = await new Profile().open();
    expect(failureOf(await vault.commitConnection(active(john, 2))).code).toBe("vault_conflict");
    valueOf(await vault.commitConnection(active(john, 1)));
    expect(failureOf(await vault.commitConnection(active(john, 1, "late"))).code).toBe("vault_conflict");
    expect(failureOf(await vault.commitConnection(active(john, 3))).code).toBe("vault_conflict");
    valueOf(await vault.commitConnection(active(john, 2)));
    expect(valueOf(await vault.readConnection(john))).toEqual(active(john, 2));
  });

  it("are deleted at their generation only, and may then be made anew", async () => {
    const { vault } = await new Profile().open();
    valueOf(await vault.commitConnection(active(john, 1)));
    expect(failureOf(await vault.deleteConnection(john, 2)).code).toBe("vault_conflict");
    valueOf(await vault.deleteConnection(john, 1));
    expect(valueOf(await vault.readConnection(john))).toBeUndefined();
    valueOf(await vault.commitConnection(active(john, 1)));
  });

  it("keep users with unusual names apart", async () => {
    const { vault } = await new Profile().open();
    const odd = ["a/b", "a", "", "'; DROP TABLE connection; --", "ü\u0000x"].map((user) => ({ ...john, user }));
    for (const key of odd) valueOf(await vault.commitConnection(active(key, 1)));
    for (const key of odd) expect(valueOf(await vault.readConnection(key))).toEqual(active(key, 1));
  });
});

describe("registrations, programs and secrets", () => {
  it("come back as saved after a restart", async () => {
    const profile = new Profile();
    const first = await profile.open();
    valueOf(await first.vault.saveRegistrations([{ registration, clientSecret: "secret-1" }]));
    valueOf(await first.vault.saveClient(client));
    valueOf(await first.vault.saveSecret("certificate-key", "pem"));
    first.close();
    const { vault } = await profile.open();
    expect(valueOf(await vault.listRegistrations())).toEqual([registration]);
    expect(valueOf(await vault.readRegistration("mazda", "acceptance"))).toEqual({ registration, clientSecret: "secret-1" });
    expect(valueOf(await vault.listClients())).toEqual([client]);
    expect(valueOf(await vault.readSecret("certificate-key"))).toBe("pem");
  });

  it("are replaced when saved again", async () => {
    const { vault } = await new Profile().open();
    const changed = { ...registration, clientId: "other" };
    valueOf(await vault.saveRegistrations([{ registration, clientSecret: "secret-1" }]));
    valueOf(await vault.saveRegistrations([{ registration: changed, clientSecret: "secret-2" }]));
    expect(valueOf(await vault.readRegistration("mazda", "acceptance"))).toEqual({ registration: changed, clientSecret: "secret-2" });
    valueOf(await vault.saveClient(client));
    valueOf(await vault.saveClient({ ...client, access: { users: "all", providers: [] } }));
    expect(valueOf(await vault.listClients())).toEqual([{ ...client, access: { users: "all", providers: [] } }]);
    valueOf(await vault.saveSecret("name", "one"));
    valueOf(await vault.saveSecret("name", "two"));
    expect(valueOf(await vault.readSecret("name"))).toBe("two");
  });

  it("go away when deleted", async () => {
    const { vault } = await new Profile().open();
    valueOf(await vault.saveRegistrations([{ registration, clientSecret: "secret-1" }]));
    valueOf(await vault.saveClient(client));
    valueOf(await vault.deleteRegistration("mazda", "acceptance"));
    valueOf(await vault.deleteClient("client-1"));
    expect(valueOf(await vault.readRegistration("mazda", "acceptance"))).toBeUndefined();
    expect(valueOf(await vault.listClients())).toEqual([]);
    expect(valueOf(await vault.readSecret("never-saved"))).toBeUndefined();
  });

  it("are saved all or none", async () => {
    const { vault } = await new Profile().open();
    // A registration that no program of this house can write stands for any error in the middle.
    const broken = { ...registration, provider: "webfleet", environment: "test" };
    const saving = vault.saveRegistrations([
      { registration, clientSecret: "secret-1" },
      // The cast makes the wrong value the compiler refuses.
      { registration: broken as RegistrationView, clientSecret: "secret-2" },
    ]);
    await expect(saving).rejects.toThrow("a view of another form");
    expect(valueOf(await vault.listRegistrations())).toEqual([]);
  });
});

describe("the profile folder", () => {
  it("holds no token, secret or key in the open", async () => {
    const profile = new Profile();
    const opened = await profile.open();
    const { vault } = opened;
    const canaries = [
      "canary-access-token",
      "canary-refresh-token",
      "canary-client-secret",
      "canary-stray-secret",
      "canary-client-key",
      "canary-named-secret",
    ];
    const secretGrant = { ...grant("x"), accessToken: "canary-access-token", refreshToken: "canary-refresh-token" };
    valueOf(await vault.commitConnection(record(john, 1, { kind: "Active", grant: secretGrant })));
    valueOf(await vault.commitConnection(record(john, 2, { kind: "Refreshing", grant: secretGrant, attempt })));
    // As the window's input holds it: a secret beside the view's own fields.
    const withSecret = { ...registration, clientSecret: "canary-stray-secret" };
    valueOf(await vault.saveRegistrations([{ registration: withSecret, clientSecret: "canary-client-secret" }]));
    valueOf(await vault.saveClient({ ...client, clientKey: "canary-client-key" }));
    valueOf(await vault.saveSecret("certificate-key", "canary-named-secret"));
    valueOf(await vault.appendAudit({ atMs: nowMs, action: "connect", actor: "window", outcome: "ok" }));

    const expectClean = () => {
      const files = readdirSync(profile.folder);
      expect(files).toContain("vault.sqlite");
      for (const file of files) {
        const bytes = readFileSync(join(profile.folder, file));
        for (const canary of canaries) {
          expect(bytes.includes(canary), `${canary} in ${file}`).toBe(false);
          expect(bytes.includes(Buffer.from(canary).toString("base64").slice(2, -4)), `${canary} as base64 in ${file}`).toBe(false);
        }
        for (const key of profile.credentialStore.entries.values()) expect(bytes.includes(Buffer.from(key))).toBe(false);
      }
    };
    expectClean();
    opened.close();
    expectClean();
  });
});

describe("a closed vault", () => {
  it("answers vault_locked", async () => {
    const opened = await new Profile().open();
    opened.close();
    opened.close();
    expect(failureOf(await opened.vault.readConnection(john)).code).toBe("vault_locked");
    expect(failureOf(await opened.vault.commitConnection(active(john, 1))).code).toBe("vault_locked");
    expect(failureOf(await opened.verifyAudit()).code).toBe("vault_locked");
  });
});
