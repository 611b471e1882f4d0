import { describe, expect, it } from "vitest";
import { type CallName, ipcCalls } from "../../shared/ipc-contract.ts";
import { standardSettings } from "../../shared/views.ts";
import { callGuards } from "./guards.ts";

const registration = {
  provider: "mazda",
  environment: "acceptance",
  clientId: "api-key",
  redirectUris: ["https://127.0.0.1:8443/callback"],
  organisations: ["10030/MMD"],
};

/** One accepted value for each call that takes parameters. */
const accepted: Partial<Record<CallName, unknown>> = {
  "connect.start": { provider: "mazda", environment: "production", user: "mmd10030.johndoe", organisation: "10030/MMD" },
  "connect.cancel": { connectionId: "mazda/production/jane" },
  "connection.revoke": { connectionId: "mazda/production/jane" },
  "connection.forget": { connectionId: "mazda/production/jane" },
  "user.endAll": { user: "mmd10030.johndoe" },
  "proxy.signIn": { proxy: "proxy.dealer.example:8080", userName: "DEALER\\jane", password: "p" },
  "connection.openGrantScreens": { connectionId: "mazda/production/jane" },
  "registrations.save": {
    ...registration,
    clientSecret: "s",
    scope: "a b",
    clientAuthentication: "body",
    basicEncoding: "raw",
    pkce: true,
  },
  "registrations.remove": { provider: "mazda", environment: "acceptance" },
  "clients.remove": { clientId: "c1" },
  "clients.update": { clientId: "c1", access: { users: ["jane"], providers: "all", untilMs: 1_900_000_000_000, requestsPerMinute: 60 } },
  "blocked.remove": { blockedId: "b1" },
  "pairing.block": { pairingId: "p1" },
  "audit.page": { limit: 50, before: 1_000, outcome: "refused", text: "jane" },
  "audit.export": { format: "csv" },
  "pairing.approve": { pairingId: "p1", access: { users: "all", providers: ["mazda"] } },
  "pairing.deny": { pairingId: "p1" },
  "settings.save": standardSettings,
  "vault.unlock": { passphrase: "p" },
  "vault.setPassphrase": { passphrase: "p".repeat(1024) },
  "vault.rekey": { passphrase: "p" },
  "vault.export": { passphrase: "p", includeSignIns: false },
  "vault.import": { passphrase: "p" },
};

describe("the guards of the window's calls", () => {
  it.each(Object.keys(ipcCalls) as CallName[])("accept what %s takes, unchanged, and nothing else", (name) => {
    const params = accepted[name];
    expect(callGuards[name](params)).toEqual({ ok: true, value: params });
    const others: unknown[] = [
      null,
      1,
      "text",
      [],
      { unknown: 1 },
      ...(params === undefined ? [{}] : [undefined, { ...(params as object), unknown: 1 }]),
    ];
    for (const other of others) expect(callGuards[name](other)).toMatchObject({ ok: false });
  });

  it("accept a registration with some endpoints of its own", () => {
    const params = { ...registration, endpoints: { tokenEndpoint: "https://127.0.0.1:9443/token" } };
    expect(callGuards["registrations.save"](params)).toEqual({ ok: true, value: params });
  });

  it.each([
    ["an id", "connect.start", { provider: "mazda", environment: "production", user: "u".repeat(257) }],
    ["an empty id", "connect.start", { provider: "mazda", environment: "production", user: "" }],
    ["an unknown environment", "connect.start", { provider: "mazda", environment: "staging", user: "jane" }],
    ["a URL", "registrations.save", { ...registration, redirectUris: ["x".repeat(2049)] }],
    ["a secret", "registrations.save", { ...registration, clientSecret: "x".repeat(4097) }],
    ["a list", "registrations.save", { ...registration, organisations: Array.from({ length: 501 }, () => "a") }],
    ["an access word", "pairing.approve", { pairingId: "p1", access: { users: "everyone", providers: "all" } }],
    ["an end of access", "clients.update", { clientId: "c1", access: { users: "all", providers: "all", untilMs: 9e15 } }],
    ["a limit of requests", "clients.update", { clientId: "c1", access: { users: "all", providers: "all", requestsPerMinute: 0 } }],
    ["a time of day", "settings.save", { ...standardSettings, quietFrom: "24:00" }],
    ["half a time of day", "settings.save", { ...standardSettings, quietTo: "7:00" }],
    ["a list of muted users", "settings.save", { ...standardSettings, mutedUsers: Array.from({ length: 1001 }, () => "jane") }],
    ["no user who leaves", "user.endAll", { user: "" }],
    ["a page of the audit log", "audit.page", { limit: 201 }],
    ["an undefined field", "registrations.save", { ...registration, scope: undefined }],
  ] as const)("refuse %s that is out of bounds", (_what, name, params) => {
    expect(callGuards[name](params)).toMatchObject({ ok: false });
  });

  it("accept quiet hours and muted users", () => {
    const params = { ...standardSettings, quietFrom: "22:00", quietTo: "06:30", mutedUsers: ["jane"], startAtLogin: true };
    expect(callGuards["settings.save"](params)).toEqual({ ok: true, value: params });
  });

  it("refuse a password of a proxy that is too long without repeating it", () => {
    const refused = callGuards["proxy.signIn"]({ proxy: "proxy:1", userName: "jane", password: "hunter2 ".repeat(1000) });
    expect(refused).toMatchObject({ ok: false });
    expect(JSON.stringify(refused)).not.toContain("hunter2");
  });

  it("accept the change of the key of a vault that has no passphrase", () => {
    expect(callGuards["vault.rekey"]({})).toEqual({ ok: true, value: {} });
  });

  it.each(["vault.unlock", "vault.setPassphrase", "vault.rekey", "vault.export", "vault.import"] as const)(
    "refuse an overlong or empty passphrase of %s without repeating it",
    (name) => {
      const passphrase = "correct horse ".repeat(100);
      for (const given of [passphrase, "", [passphrase]]) {
        const refused = callGuards[name]({ passphrase: given, ...(name === "vault.export" ? { includeSignIns: true } : {}) });
        expect(refused).toMatchObject({ ok: false });
        expect(JSON.stringify(refused)).not.toContain("horse");
      }
    },
  );
});
