/**
 * The vault's files in a profile, and the accidents that befall them. Invariant: what happens to a file here happens while
 * no app has it open; only `backupsIn` and `filesIn` look at a running one's.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { DealerUser } from "./test-dealer.ts";

/** The places of this computer that seal the vault's key, as the key file names them. */
const systemKeyPlaces = ["safeStorage", "credentialStore"] as const;
export type SystemKeyPlace = (typeof systemKeyPlaces)[number];

const keyFileSchema = z.looseObject({
  vaultId: z.string(),
  canary: z.string(),
  safeStorage: z.string().optional(),
  credentialStore: z.string().optional(),
  passphrase: z.looseObject({ sealed: z.string() }).optional(),
});

const keyFiles = ["vault-keys.json", "vault-keys.copy.json"] as const;

/** The places of this computer that hold an envelope, according to the key file and its copy alike. */
export function sealedPlaces(profile: string): readonly SystemKeyPlace[] {
  const files = keyFiles.map((name) => readKeyFile(join(profile, name)));
  return systemKeyPlaces.filter((place) => files.every((file) => file[place] !== undefined));
}

/** Takes what these places hold out of the key file and its copy, as if it had never been sealed there. */
export function loseEnvelopes(profile: string, ...places: readonly SystemKeyPlace[]): void {
  for (const name of keyFiles) {
    const path = join(profile, name);
    const entries = Object.entries(readKeyFile(path));
    const left = entries.filter(([key]) => !places.some((place) => place === key));
    if (left.length !== entries.length - places.length) throw new Error(`${name} does not hold an envelope of each place`);
    writeFileSync(path, JSON.stringify(Object.fromEntries(left)));
  }
}

function readKeyFile(path: string): z.infer<typeof keyFileSchema> {
  return keyFileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Names of the profile's files, sorted. */
export function filesIn(profile: string): readonly string[] {
  return readdirSync(profile).toSorted();
}

/** The app takes its first backup 5 s after it has opened the vault. */
export const backupWaitMs = 20_000;

/** Names of the vault's backups, the oldest first. */
export function backupsIn(profile: string): readonly string[] {
  return filesIn(profile).filter((name) => /^vault\.backup-[\d-]+\.sqlite$/.test(name));
}

/** Leaves a vault of 0 bytes, as a file system may after a power cut. */
export function emptyVault(profile: string): void {
  const path = closedVault(profile);
  if (statSync(path).size === 0) throw new Error("the vault is empty already");
  truncateSync(path);
}

/** Copies the vault out of the profile, as a backup program would; `putBack` brings that copy back. */
export function copyVault(profile: string, copy: string): { readonly putBack: () => void } {
  copyFileSync(closedVault(profile), copy);
  return { putBack: () => copyFileSync(copy, closedVault(profile)) };
}

/** Flips one bit in the middle of a connection's sealed record, as a failing disk would. */
export function flipBitOf(profile: string, { provider, environment, user }: DealerUser): void {
  const database = new DatabaseSync(closedVault(profile));
  const whichOne = "provider = ? AND environment = ? AND user = ?";
  try {
    const row = database.prepare(`SELECT sealed_record FROM connection WHERE ${whichOne}`).get(provider, environment, user);
    const { sealed_record: sealed } = z.object({ sealed_record: z.instanceof(Uint8Array) }).parse(row);
    const middle = Math.floor(sealed.length / 2);
    const damaged = sealed.with(middle, (sealed[middle] ?? 0) ^ 1);
    database.prepare(`UPDATE connection SET sealed_record = ? WHERE ${whichOne}`).run(damaged, provider, environment, user);
  } finally {
    database.close();
  }
}

/**
 * Has the first refusal in the audit log say that it was a grant, as somebody would who wants to hide it: with everything else
 * left in order. Gives the row's sequence number.
 */
export function hideRefusal(profile: string): number {
  const database = new DatabaseSync(closedVault(profile));
  try {
    const row = database.prepare(`SELECT min(sequence) AS sequence FROM audit WHERE entry NOT LIKE '%"outcome":"ok"}'`).get();
    const { sequence } = z.object({ sequence: z.int() }).parse(row);
    const triggers = z.array(z.object({ name: z.string(), sql: z.string() }));
    const found = triggers.parse(database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all());
    for (const { name } of found) database.exec(`DROP TRIGGER ${name}`);
    database
      .prepare(`UPDATE audit SET entry = substr(entry, 1, instr(entry, '"outcome"') - 1) || '"outcome":"ok"}' WHERE sequence = ?`)
      .run(sequence);
    for (const { sql } of found) database.exec(sql);
    return sequence;
  } finally {
    database.close();
  }
}

/** A vault that was closed in order is one file. */
function closedVault(profile: string): string {
  const path = join(profile, "vault.sqlite");
  if (existsSync(`${path}-wal`)) throw new Error("the vault was not closed in order");
  return path;
}
