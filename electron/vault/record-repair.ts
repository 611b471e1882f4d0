/**
 * Repairs single records whose seal does not open although the file is sound: a flipped bit in a page that SQLite does not
 * check.
 *
 * Invariants: a record is only ever replaced by one whose own seal opens; a connection from a backup that is not provably the
 * stored one comes back InDoubt; what no backup has stays as it is, for whoever looks at the disk later.
 */
import { DatabaseSync } from "node:sqlite";
import { type Failure, failure } from "../../shared/failure.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import { listBackups } from "./backups.ts";
import { doubtful } from "./doubtful.ts";
import { contextOfRow, findRow, namesOfRow, putRow, revisionOfRow, type SealedTable, sealedOfRow, sealedTables } from "./sealed-tables.ts";
import { type MarkedRow, markedBytes, type StoredRow } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { problemOf } from "./vault-failures.ts";
import type { VaultTables } from "./vault-tables.ts";

const [connectionTable, ...otherTables] = sealedTables;
/** Records looked at before others get their turn: about 5 ms. */
const recordsAtOnce = 200;

/** Puts a readable record in place of a connection's unreadable one. Returns whether it could. Throws SQLite's errors. */
export function repairConnection(tables: VaultTables, folder: string, key: ConnectionKey, nowMs: number): boolean {
  if (connectionTable === undefined) return false;
  const names = [key.provider, key.environment, key.user];
  const damaged = findRow(tables.database, connectionTable, names);
  const row = damaged === undefined ? undefined : wholeRow(tables, folder, connectionTable, names);
  if (damaged === undefined || row === undefined) return false;
  inTransaction(tables.database, () => {
    putMarked(tables, connectionTable, damaged, row);
    const record = sameSealing(connectionTable, damaged, row) ? undefined : tables.connections.readRow(row);
    const generation = Math.max(revisionOfRow(connectionTable, damaged), record?.generation ?? 0);
    if (record !== undefined) tables.connections.replace(doubtful({ ...record, generation }, nowMs));
  });
  return true;
}

/** Repairs registrations, programs and secrets. There are few of them, and the app needs them at once. Throws SQLite's errors. */
export function repairSmallTables(tables: VaultTables, folder: string): readonly Failure[] {
  return otherTables.flatMap((table) => {
    const rows = tables.database.prepare(`SELECT * FROM ${table.name}`).all();
    return rows.filter((row) => !opens(tables, table, row)).map((row) => repairRow(tables, folder, table, row));
  });
}

function repairRow(tables: VaultTables, folder: string, table: SealedTable, damaged: StoredRow): Failure {
  const row = wholeRow(tables, folder, table, namesOfRow(table, damaged));
  // Only the very same record: an older one may give a program more than it has now.
  if (row === undefined || !sameSealing(table, damaged, row)) return failure("vault_record_damaged", { what: wordsFor[table.name] });
  inTransaction(tables.database, () => putMarked(tables, table, damaged, row));
  return failure("vault_record_restored");
}

const wordsFor = {
  connection: "sign-in",
  registration: "set-up of a provider",
  dms_client: "pairing of a program",
  secret: "key of the callback certificate",
} as const satisfies Record<SealedTable["name"], string>;

/** Looks at every connection, a few at a time; gives those that stay unreadable. Throws SQLite's errors. */
export async function findUnreadable(tables: VaultTables, repair: (key: ConnectionKey) => boolean, isClosed: () => boolean) {
  const unreadable: ConnectionKey[] = [];
  let seen = 0;
  for (const key of tables.connections.keys()) {
    seen += 1;
    // oxlint-disable-next-line no-await-in-loop -- the pause is the point
    if (seen % recordsAtOnce === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    if (isClosed()) break;
    if (tables.connections.showAsStored(key)) continue;
    if (!repair(key)) unreadable.push(key);
  }
  return unreadable;
}

/** The row in the newest backup where its seal opens. */
function wholeRow(tables: VaultTables, folder: string, table: SealedTable, names: readonly string[]): StoredRow | undefined {
  for (const { path } of listBackups(folder)) {
    const row = rowInBackup(path, table, names);
    if (row !== undefined && opens(tables, table, row)) return row;
  }
  return undefined;
}

function rowInBackup(path: string, table: SealedTable, names: readonly string[]): StoredRow | undefined {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 0, defensive: true });
    try {
      return findRow(database, table, names);
    } finally {
      database.close();
    }
  } catch (error) {
    // A backup that cannot be read has nothing to give.
    if (problemOf(error) === undefined) throw error;
    return undefined;
  }
}

function putMarked({ database, integrity }: VaultTables, table: SealedTable, before: StoredRow, after: StoredRow): void {
  putRow(database, table, after);
  integrity.changed(table.kind, namesOfRow(table, after), marked(table, before), marked(table, after));
}

function marked(table: SealedTable, row: StoredRow): MarkedRow {
  return markedBytes(revisionOfRow(table, row), sealedOfRow(table, row));
}

/** Each sealing has a tag of its own: the same tag means the very same record, before the damage. */
function sameSealing(table: SealedTable, a: StoredRow, b: StoredRow): boolean {
  return revisionOfRow(table, a) === revisionOfRow(table, b) && Buffer.compare(marked(table, a).tag, marked(table, b).tag) === 0;
}

function opens({ sealer }: VaultTables, table: SealedTable, row: StoredRow): boolean {
  return sealer.open(contextOfRow(table, row), sealedOfRow(table, row)) !== undefined;
}
