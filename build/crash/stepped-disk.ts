/**
 * Steps at what makes changes last: every SQLite commit and every rename of this process, whoever asked for it.
 * Invariant: the real call is made, once, between the two steps.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";
import { step } from "./child-steps.ts";

let isRekeying = false;

/** Names the steps of `work` as those of a key change. */
export async function whileRekeying<T>(work: () => Promise<T>): Promise<T> {
  isRekeying = true;
  try {
    return await work();
  } finally {
    isRekeying = false;
  }
}

/** Call once, before anything is opened. */
export function hookDisk(): void {
  hookCommits();
  hookRenames();
}

function hookCommits(): void {
  // Found on the prototype and called with its own `this`.
  // oxlint-disable-next-line typescript/unbound-method
  const exec = DatabaseSync.prototype.exec;
  DatabaseSync.prototype.exec = function hooked(this: DatabaseSync, sql: string): void {
    if (sql !== "COMMIT") return exec.call(this, sql);
    step(isRekeying ? "rekey-transaction-written" : "transaction-written");
    exec.call(this, sql);
    step(isRekeying ? "rekey-transaction-committed" : "transaction-committed");
  };
}

function hookRenames(): void {
  const rename = fs.renameSync;
  fs.renameSync = (from, to) => {
    step(isRekeying ? "rekey-file-renaming" : "file-renaming");
    rename(from, to);
    step(isRekeying ? "rekey-file-renamed" : "file-renamed");
  };
  // Named imports of node:fs follow.
  syncBuiltinESMExports();
}
