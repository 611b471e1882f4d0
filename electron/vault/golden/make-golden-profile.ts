/**
 * Makes the golden profile of the version this repository is at: `node electron/vault/golden/make-golden-profile.ts FOLDER`.
 * Run it once for each new schema version and commit what it made; a committed profile is never made again.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { err, type Result } from "../../../shared/result.ts";
import type { CredentialStore } from "../credential-store.ts";
import { FakeSafeStorage } from "../testing/fake-key-places.ts";
import { openVault } from "../vault.ts";
import {
  goldenAudit,
  goldenClient,
  goldenConnections,
  goldenKey,
  goldenNowMs,
  goldenRegistration,
  goldenSecret,
} from "./golden-content.ts";

const unavailable = async () => err("unavailable" as const);
const noCredentialStore: CredentialStore = { read: unavailable, write: unavailable, remove: unavailable };
const folder = resolve(process.argv[2] ?? "golden-profile");
mkdirSync(folder, { recursive: true });

const opened = must(
  await openVault({
    folder,
    safeStorage: new FakeSafeStorage(goldenKey),
    // One envelope is enough: the credential store of the machine that runs this has no part in it.
    credentialStore: noCredentialStore,
    nowMs: () => goldenNowMs,
    platform: "linux",
  }),
);
for (const record of goldenConnections) {
  for (let generation = 1; generation <= record.generation; generation += 1) {
    must(await opened.vault.commitConnection({ ...record, generation }));
  }
}
must(await opened.vault.saveRegistrations([goldenRegistration]));
must(await opened.vault.saveClient(goldenClient));
must(await opened.vault.saveSecret(goldenSecret.name, goldenSecret.value));
for (const entry of goldenAudit) must(await opened.vault.appendAudit(entry));
opened.close();
rmSync(join(folder, "vault.lock"), { force: true });

function must<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
