/**
 * Breaks the product on purpose: a database that takes an error of the disk for a success, so that what was acknowledged
 * is not there. It exists to prove that the run notices.
 */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN (sqlite.org/rescode.html). */
const diskErrors = [8, 10, 13, 14];

/** Wraps `node:sqlite` for the rest of the process. */
export function makeDatabaseForgetful(): void {
  forgive(DatabaseSync.prototype, "exec", (database) => {
    if (database.isTransaction) database.exec("ROLLBACK");
  });
  forgive(StatementSync.prototype, "run", () => ({ changes: 1, lastInsertRowid: 0 }));
}

/** Calls `instead` when the method of that name fails because of the disk. */
function forgive<T extends object>(prototype: T, name: keyof T & string, instead: (self: T) => unknown): void {
  // A method of the prototype, as the caller names it.
  const method = Reflect.get(prototype, name) as (...values: readonly unknown[]) => unknown;
  const forgetful = new Proxy(method, {
    apply: (target, self: T, values: readonly unknown[]) => {
      try {
        return Reflect.apply(target, self, values);
      } catch (error) {
        if (!saysDisk(error)) throw error;
        return instead(self);
      }
    },
  });
  Reflect.set(prototype, name, forgetful);
}

function saysDisk(error: unknown): boolean {
  // The low byte of an extended result code is its primary code.
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && diskErrors.includes(error.errcode & 0xff);
}
