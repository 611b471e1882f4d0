/** The tables of one open vault and what they share. */
import type { DatabaseSync } from "node:sqlite";
import { openAuditRows } from "./audit-rows.ts";
import { createClientRows } from "./client-rows.ts";
import { createConnectionRows } from "./connection-rows.ts";
import type { Integrity } from "./integrity.ts";
import { createRegistrationRows } from "./registration-rows.ts";
import type { Sealer } from "./sealing.ts";
import { createSecretRows } from "./secret-rows.ts";

export type VaultTables = ReturnType<typeof openTables>;

/** Opens every table of a proven database of the latest version, whose integrity has been verified. Throws SQLite's errors. */
export function openTables(database: DatabaseSync, sealer: Sealer, integrity: Integrity, nowMs: () => number) {
  return {
    database,
    sealer,
    integrity,
    connections: createConnectionRows(database, sealer, integrity),
    registrations: createRegistrationRows(database, sealer, integrity),
    clients: createClientRows(database, sealer, integrity),
    secrets: createSecretRows(database, sealer, integrity),
    audit: openAuditRows(database, sealer, nowMs),
  };
}
