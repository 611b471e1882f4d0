/**
 * What every golden profile holds: a connection in each stored state, a registration, a program, a secret and an audit
 * log. Invariant: never changed, because profiles that were made with it are committed. All keys and tokens are test data.
 */
import { failure } from "../../../shared/failure.ts";
import type { ConnectionRecord, Grant, StoredState } from "../../core/connection-state.ts";
import type { AuditEntry, DmsClientRecord } from "../../core/ports.ts";
import type { StoredRegistration } from "../registration-rows.ts";

export const goldenNowMs = Date.UTC(2026, 10, 22, 14, 30, 5);

/** The key of the stand-in for `safeStorage`. */
export const goldenKey = Buffer.from("golden test key, 32 bytes long..");

const attempt = { attemptId: "golden-attempt", startedAtMs: goldenNowMs - 1_000 };

function grant(name: string): Grant {
  return {
    accessToken: `golden-access-token-${name}`,
    refreshToken: `golden-refresh-token-${name}`,
    scope: "openid offline_access",
    obtainedAtMs: goldenNowMs,
    accessTokenExpiresAtMs: goldenNowMs + 300_000,
    grantExpiresAtMs: goldenNowMs + 86_400_000,
    grantExpiryIsEstimate: true,
  };
}

function connection(user: string, generation: number, state: StoredState): ConnectionRecord {
  const key = { provider: "mazda", environment: "production", user } as const;
  return { key, organisation: "10030/MMD", connectedAtMs: goldenNowMs, generation, state };
}

export const goldenConnections: readonly ConnectionRecord[] = [
  connection("mmd10030.active", 3, { kind: "Active", grant: grant("active") }),
  connection("mmd10030.refreshing", 2, { kind: "Refreshing", grant: grant("refreshing"), attempt }),
  connection("mmd10030.indoubt", 4, { kind: "InDoubt", grant: grant("indoubt"), attempt }),
  connection("mmd10030.reconnect", 1, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) }),
  connection("mmd10030.revoking", 2, { kind: "Revoking", grant: grant("revoking") }),
];

export const goldenRegistration: StoredRegistration = {
  registration: {
    provider: "mazda",
    environment: "production",
    clientId: "golden-client-id",
    hasClientSecret: true,
    redirectUris: ["http://127.0.0.1:8765/callback"],
    scope: "openid offline_access",
    organisations: ["10030/MMD"],
  },
  clientSecret: "golden-client-secret",
};

export const goldenClient: DmsClientRecord = {
  clientId: "golden-client",
  name: "Golden DMS",
  clientKey: "golden-client-key",
  access: { users: "all", providers: ["mazda"] },
  pairedAtMs: goldenNowMs,
};

export const goldenSecret = { name: "golden-secret", value: "golden-secret-value" };

export const goldenAudit: readonly AuditEntry[] = [
  {
    atMs: goldenNowMs,
    action: "connect",
    actor: "broker",
    provider: "mazda",
    environment: "production",
    user: "mmd10030.active",
    outcome: "ok",
  },
  { atMs: goldenNowMs + 1, action: "token.get", actor: "golden-client", actorName: "Golden DMS", outcome: "ok" },
];
