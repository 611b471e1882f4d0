/** One durable transaction of the vault: all of `work` or nothing. */
import type { DatabaseSync } from "node:sqlite";

/** Runs `work` in one durable transaction; rolls back and throws on when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    database.exec("COMMIT");
    return value;
  } catch (error) {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
