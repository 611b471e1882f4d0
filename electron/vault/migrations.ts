/**
 * The vault's tables, version by version (`user_version`).
 *
 * Invariant: versions only rise, each in one transaction; a released step is never changed, only followed by another.
 */
import type { DatabaseSync } from "node:sqlite";
import { inTransaction } from "./transaction.ts";

/** "DMSC", in the header of the file (sqlite.org/pragma.html#pragma_application_id). */
export const applicationId = 0x444d5343;

/** Step n takes the file from version n to n + 1. */
const steps: readonly string[] = [
  `
  CREATE TABLE vault (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed_canary BLOB NOT NULL
  ) STRICT;

  CREATE TABLE connection (
    provider TEXT NOT NULL,
    environment TEXT NOT NULL,
    user TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    organisation TEXT,
    connected_at_ms INTEGER NOT NULL,
    state_kind TEXT NOT NULL,
    failure TEXT,
    access_token_expires_at_ms INTEGER,
    grant_expires_at_ms INTEGER,
    grant_expiry_is_estimate INTEGER NOT NULL,
    sealed_record BLOB NOT NULL,
    PRIMARY KEY (provider, environment, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE registration (
    provider TEXT NOT NULL,
    environment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    view TEXT NOT NULL,
    sealed_client_secret BLOB NOT NULL,
    PRIMARY KEY (provider, environment)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE dms_client (
    client_id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    view TEXT NOT NULL,
    sealed_client_key BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    sealed_value BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    entry TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

  CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    sealed_hash BLOB NOT NULL
  ) STRICT;
  `,
];

export const latestVersion = steps.length;

/** Brings the file to the latest version. Throws SQLite's errors; the file then has the version it had. */
export function migrate(database: DatabaseSync): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    inTransaction(database, () => database.exec(`${step}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${index + 1}`));
  }
}
