/**
 * Remembers that damage was met while the vault was open, where the checks of an opening may not look: the next opening then
 * makes the vault anew. Invariant: the marker goes away only after that.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "./atomic-file.ts";

/** Throws the system's error. */
export function repairAtStart(folder: string): void {
  if (!needsRepairAtStart(folder)) writeFileAtomically(markerPath(folder), "damage was met while the vault was open\n");
}

export function needsRepairAtStart(folder: string): boolean {
  return existsSync(markerPath(folder));
}

export function repairDone(folder: string): void {
  rmSync(markerPath(folder), { force: true });
}

function markerPath(folder: string): string {
  return join(folder, "vault.repair-needed");
}
