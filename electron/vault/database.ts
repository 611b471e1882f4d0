/**
 * Opens the vault's SQLite file.
 *
 * Invariants: a commit has reached the disk when it returns (WAL, `synchronous=FULL`); overwritten content is zeroed
 * (`secure_delete`); the file's own schema runs no functions (`trusted_schema` off, defensive). A damaged file is only
 * recognised here, never touched.
 */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type Failure, failure } from "../../shared/failure.ts";
import { applicationId } from "./migrations.ts";
import { saysDamaged, saysInUse, vaultInUse, writeFailed } from "./vault-failures.ts";
import { makePrivateFile } from "./vault-folder.ts";

export type DatabaseOpening<T> =
  | { readonly kind: "opened"; readonly value: T }
  /** No database, another program's, or not sound: set it aside. */
  | { readonly kind: "damaged" }
  /** Sound, but not as this app left it. */
  | { readonly kind: "changed" }
  | { readonly kind: "failed"; readonly failure: Failure };

/**
 * Opens `path`, or makes it, and hands it to `setUp` (key, migrations, statements). Unless it opens, the file is closed again.
 * `thorough` checks all of a large file, too.
 * Throws only for bugs.
 */
export function openDatabase<T>(
  path: string,
  setUp: (database: DatabaseSync) => DatabaseOpening<T>,
  { thorough = false } = {},
): DatabaseOpening<T> {
  let database: DatabaseSync | undefined;
  try {
    makePrivateFile(path);
    // No wait for locks: the folder is locked, and a wait would stop the whole process.
    database = new DatabaseSync(path, { timeout: 0, defensive: true });
    const opening = prepare(database, thorough || isSmall(path)) ?? setUp(database);
    if (opening.kind !== "opened") database.close();
    return opening;
  } catch (error) {
    database?.close();
    if (saysDamaged(error)) return { kind: "damaged" };
    return { kind: "failed", failure: saysInUse(error) ? vaultInUse() : writeFailed(error) };
  }
}

/** Checks the file before anything is written to it, then switches on what makes commits durable. `undefined` when it may be used. */
function prepare(database: DatabaseSync, thorough: boolean): DatabaseOpening<never> | undefined {
  // Exclusive before the first access: the write-ahead index then lives in memory, not in a shared file.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  const version = readNumber(database, "user_version");
  const owner = readNumber(database, "application_id");
  if (owner !== applicationId && (owner !== 0 || version !== 0 || hasContent(database))) return { kind: "damaged" };
  if (!(thorough ? isWhollySound(database) : isSound(database))) return { kind: "damaged" };
  if (readText(database, "journal_mode = WAL") !== "wal") {
    return { kind: "failed", failure: failure("vault_write_failed", { problem: "no write-ahead log here" }) };
  }
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON");
  return undefined;
}

/** Below this, checking all of the file takes no time that anybody notices. */
const smallBytes = 64 * 1024 * 1024;

function isSmall(path: string): boolean {
  return statSync(path).size < smallBytes;
}

function isWhollySound(database: DatabaseSync): boolean {
  return readText(database, "quick_check(1)") === "ok";
}

/**
 * Checks every table but the largest: `openIntegrity` reads all of that one, by its index, before it is used. A table that a
 * version does not have is no damage.
 */
function isSound(database: DatabaseSync): boolean {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('connection')").all();
  return tables.every(({ name }) => readText(database, `quick_check('${String(name)}')`) === "ok");
}

function hasContent(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}

function readNumber(database: DatabaseSync, pragma: string): number {
  return Number(readValue(database, pragma));
}

function readText(database: DatabaseSync, pragma: string): string {
  return String(readValue(database, pragma));
}

function readValue(database: DatabaseSync, pragma: string): unknown {
  const row = database.prepare(`PRAGMA ${pragma}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
