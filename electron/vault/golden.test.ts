/** Profiles as every earlier version left them: this version must open each and find everything in it. */
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goldenAudit, goldenClient, goldenConnections, goldenKey, goldenRegistration, goldenSecret } from "./golden/golden-content.ts";
import { latestVersion } from "./migrations.ts";
import { FakeSafeStorage } from "./testing/fake-key-places.ts";
import { Profile, valueOf } from "./testing/profile.ts";

const goldenFolder = join(import.meta.dirname, "golden");
const versions = readdirSync(goldenFolder).filter((name) => /^v\d+$/.test(name));

function copyOf(version: string): Profile {
  const profile = new Profile();
  cpSync(join(goldenFolder, version), profile.folder, { recursive: true });
  return profile;
}

it("has a golden profile of every schema version", () => {
  expect(versions.toSorted()).toEqual(Array.from({ length: latestVersion }, (_, index) => `v${index + 1}`));
});

describe.each(versions)("a profile of schema version %s", (version) => {
  it("opens with everything that was in it and is brought to the latest version", async () => {
    const profile = copyOf(version);
    const { vault, verifyAudit, listAudit, close } = valueOf(await profile.tryOpen({ safeStorage: new FakeSafeStorage(goldenKey) }));
    for (const record of goldenConnections) expect(valueOf(await vault.readConnection(record.key))).toEqual(record);
    expect(valueOf(await vault.listConnections())).toHaveLength(goldenConnections.length);
    expect(valueOf(await vault.readRegistration("mazda", "production"))).toEqual(goldenRegistration);
    expect(valueOf(await vault.listClients())).toEqual([goldenClient]);
    expect(valueOf(await vault.readSecret(goldenSecret.name))).toBe(goldenSecret.value);
    expect(valueOf(await verifyAudit())).toEqual({ kind: "intact", rows: goldenAudit.length });
    expect(valueOf(await listAudit(10)).map(({ entry }) => entry)).toEqual(goldenAudit.toReversed());
    close();
    expect(profile.edit((database) => database.prepare("PRAGMA user_version").get())).toEqual({ user_version: latestVersion });
  });

  it("opens again after its migration without a notice", async () => {
    const profile = copyOf(version);
    const safeStorage = new FakeSafeStorage(goldenKey);
    valueOf(await profile.tryOpen({ safeStorage })).close();
    const again = valueOf(await profile.tryOpen({ safeStorage }));
    expect(again.notices).toEqual([]);
    for (const record of goldenConnections) expect(valueOf(await again.vault.readConnection(record.key))).toEqual(record);
  });
});

describe("a migration that is in the way of itself", () => {
  it("counts as damage, and loses nothing", async () => {
    const profile = copyOf("v1");
    // A table of the next version is there already.
    profile.edit((database) => database.exec("CREATE TABLE epoch (id INTEGER)"));
    const { vault, notices } = valueOf(await profile.tryOpen({ safeStorage: new FakeSafeStorage(goldenKey) }));
    expect(notices.map(({ code }) => code)).toEqual(["vault_damaged"]);
    for (const { key } of goldenConnections) expect(valueOf(await vault.readConnection(key))).toMatchObject({ key });
    expect(valueOf(await vault.readRegistration("mazda", "production"))).toEqual(goldenRegistration);
    expect(valueOf(await vault.listClients())).toEqual([goldenClient]);
  });
});
