/**
 * The canary inside the database: it ties the file to the key, so that a key file of another vault does not make every
 * connection look dead. Throws SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { sealedBytes } from "./sealed-row.ts";
import type { RecordContext, Sealer } from "./sealing.ts";

const rowSchema = z.object({ sealed_canary: sealedBytes });
const canaryText = "the key of this vault";

/** Whether the sealer's key is the one this database was made with; a new database takes the key as its own. */
export function provesVault(database: DatabaseSync, sealer: Sealer, vaultId: string): boolean {
  const context: RecordContext = { kind: "canary", names: ["database", vaultId], recordVersion: 1, generation: 0 };
  const row = database.prepare("SELECT sealed_canary FROM vault").get();
  if (row !== undefined) return sealer.open(context, rowSchema.parse(row).sealed_canary) === canaryText;
  database.prepare("INSERT INTO vault (id, sealed_canary) VALUES (1, ?)").run(sealer.seal(context, canaryText));
  return true;
}
