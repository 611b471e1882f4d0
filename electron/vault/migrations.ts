/**
 * The vault's tables, version by version (`user_version`).
 *
 * Invariant: versions only rise, each in one transaction; a released step is never changed, only followed by another.
 */
import { DatabaseSync } from "node:sqlite";
import { openIntegrity } from "./integrity.ts";
import type { Sealer } from "./sealing.ts";
import { inTransaction } from "./transaction.ts";
import { schemaVersion, sealCanary } from "./vault-canary.ts";

/** "DMSC", in the header of the file (sqlite.org/pragma.html#pragma_application_id). */
export const applicationId = 0x444d5343;

interface Step {
  readonly sql: string;
  /** What only the holder of the key can do, in the same transaction. */
  readonly seal?: (database: DatabaseSync, sealer: Sealer) => void;
}

/** Step n takes the file from version n to n + 1. */
const steps: readonly Step[] = [
  {
    sql: `
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
  },
  {
    // A row with its record fits on one page here, and changes where it lies: half the pages of a table without row ids.
    sql: `
  ALTER TABLE connection RENAME TO connection_1;
  CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
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
    UNIQUE (provider, environment, user)
  ) STRICT;
  INSERT INTO connection (provider, environment, user, generation, organisation, connected_at_ms, state_kind, failure,
      access_token_expires_at_ms, grant_expires_at_ms, grant_expiry_is_estimate, sealed_record)
    SELECT provider, environment, user, generation, organisation, connected_at_ms, state_kind, failure,
      access_token_expires_at_ms, grant_expires_at_ms, grant_expiry_is_estimate, sealed_record
    FROM connection_1 ORDER BY provider, environment, user;
  DROP TABLE connection_1;

  CREATE TABLE integrity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mark BLOB NOT NULL
  ) STRICT;

  CREATE TABLE epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed_epoch BLOB NOT NULL
  ) STRICT;
  `,
    seal: (database, sealer) => openIntegrity(database, sealer).adopt(),
  },
];

export const latestVersion = steps.length;

/** Makes the first version's tables in an empty file: the canary must be there before the key can be proved. Throws SQLite's errors. */
export function createTables(database: DatabaseSync): void {
  if (schemaVersion(database) > 0) return;
  inTransaction(database, () => database.exec(`${steps[0]?.sql ?? ""}; ${versionPragmas(1)}`));
}

/**
 * Brings the file to the latest version; `sealer` must have proved the canary. Throws SQLite's errors; the file then has
 * the version it had.
 */
export function migrate(database: DatabaseSync, sealer: Sealer, vaultId: string): void {
  for (let version = schemaVersion(database); version < latestVersion; version += 1) {
    const step = steps[version];
    inTransaction(database, () => {
      database.exec(step?.sql ?? "");
      step?.seal?.(database, sealer);
      database.exec(versionPragmas(version + 1));
      sealCanary(database, sealer, vaultId);
    });
  }
}

/** Whether the file's tables, indexes and triggers are those of the latest version, to the letter. Throws SQLite's errors. */
export function schemaFits(database: DatabaseSync): boolean {
  expectedSchema ??= readSchema(makeEmpty());
  return readSchema(database) === expectedSchema;
}

let expectedSchema: string | undefined;

function readSchema(database: DatabaseSync): string {
  return JSON.stringify(database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all());
}

function makeEmpty(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const { sql } of steps) database.exec(sql);
  return database;
}

function versionPragmas(version: number): string {
  return `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`;
}
