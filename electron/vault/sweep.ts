/**
 * Removes what killed runs left in the profile: copies made for reading, and files that never got their name. They hold sealed
 * tokens, which Forget and a key change would not reach. Invariant: called while the folder's lock is held, so that nobody is
 * still writing them.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { salvageFolderPrefix } from "./salvage.ts";

const leftovers =
  /^(vault-keys(\.copy)?|vault-epoch)\.json\.[0-9a-f]+\.tmp$|^(vault\.repair-needed|audit-note\.[0-9a-f-]+\.json)\.[0-9a-f]+\.tmp$|^vault\.backup-unfinished\.tmp/;

/** Throws the system's error. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(salvageFolderPrefix) || leftovers.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
