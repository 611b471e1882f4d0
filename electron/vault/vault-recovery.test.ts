import { copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { ConnectionKey } from "../core/connection-state.ts";
import { active, jane, john, nowMs, Profile, temporaryFolder, valueOf } from "./testing/profile.ts";
import type { OpenedVault } from "./vault.ts";

const users = (count: number): readonly ConnectionKey[] =>
  Array.from({ length: count }, (_, number) => ({ ...john, user: `user-${String(number).padStart(3, "0")}` }));

/** A closed profile with these connections; with a backup of them if wanted. */
async function filled(keys: readonly ConnectionKey[] = [john, jane], backedUp = false): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  for (const key of keys) valueOf(await opened.vault.commitConnection(active(key, 1)));
  if (backedUp) valueOf(await opened.backUp());
  opened.close();
  return profile;
}

function codes({ notices }: OpenedVault): readonly string[] {
  return notices.map(({ code }) => code);
}

/** State kind and access token of each connection, so that a test can say what became of it. */
async function found({ vault }: OpenedVault): Promise<Record<string, string>> {
  const kinds: Record<string, string> = {};
  for (const { key } of valueOf(await vault.listConnections())) {
    const read = await vault.readConnection(key);
    const state = read.ok ? read.value?.state : undefined;
    const token = state !== undefined && "grant" in state ? ` ${state.grant.accessToken}` : "";
    kinds[key.user] = read.ok ? `${state?.kind}${token}` : read.error.code;
  }
  return kinds;
}

const inDoubt = (key: ConnectionKey, generation = 1) => `InDoubt access-token-of-${key.user}-${generation}`;
const stillActive = (key: ConnectionKey, generation = 1) => `Active access-token-of-${key.user}-${generation}`;
const both = { [john.user]: inDoubt(john), [jane.user]: inDoubt(jane) };

function setAsideNames(profile: Profile): readonly string[] {
  return readdirSync(profile.folder).filter((name) => name.startsWith("vault.damaged-"));
}

describe("a damaged vault file", () => {
  it("gives what is whole in it, in doubt, and tells how much", async () => {
    const keys = users(60);
    const profile = await filled(keys);
    const bytes = readFileSync(profile.vaultPath);
    // One page of the connections' tree.
    writeFileSync(profile.vaultPath, bytes.fill(0xa5, bytes.length - 4096));
    const opened = await profile.open();
    const kinds = Object.values(await found(opened));
    const kept = kinds.filter((kind) => kind.startsWith("InDoubt")).length;
    expect(kept).toBeGreaterThan(20);
    expect(kept).toBeLessThan(60);
    expect(opened.notices).toMatchObject([{ code: "vault_damaged", params: { kept } }]);
    expect(setAsideNames(profile)).toHaveLength(1);
  });

  it("gives what is whole as it was when the damage left every record", async () => {
    const profile = await filled();
    // The audit log's root page is damaged; nothing of a connection lies there.
    const root = profile.edit((database) => database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'audit'").get());
    const bytes = readFileSync(profile.vaultPath);
    const at = (Number(root?.["rootpage"]) - 1) * 4096;
    writeFileSync(profile.vaultPath, bytes.fill(0xa5, at, at + 4096));
    const opened = await profile.open();
    expect(codes(opened)).toEqual(["vault_damaged"]);
    expect(await found(opened)).toEqual({ [john.user]: stillActive(john), [jane.user]: stillActive(jane) });
  });

  const ruins: readonly (readonly [string, (profile: Profile) => void])[] = [
    ["that was cut", (profile) => truncateSync(profile.vaultPath, 5000)],
    ["that was cut to nothing", (profile) => truncateSync(profile.vaultPath, 0)],
    ["that is text", (profile) => writeFileSync(profile.vaultPath, "this is not a database, ".repeat(400))],
    ["that is another program's database", replaceByRecipes],
    ["that is gone", (profile) => rmSync(profile.vaultPath)],
  ];

  it.each(ruins)("%s is made again from the newest backup", async (_name, ruin) => {
    const profile = await filled([john, jane], true);
    ruin(profile);
    const opened = await profile.open();
    expect(codes(opened)).toContain("vault_restored");
    expect(await found(opened)).toEqual(both);
    opened.close();
    // It is an ordinary vault from here on.
    expect((await profile.open()).notices).toEqual([]);
  });

  it("is made again from the newest backup that is good", async () => {
    const profile = await filled([john], true);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(jane, 1)));
    valueOf(await opened.backUp());
    opened.close();
    const [older, newer] = backupNames(profile);
    truncateSync(profile.vaultPath, 0);
    writeFileSync(join(profile.folder, newer ?? ""), readFileSync(join(profile.folder, newer ?? "")).fill(0xa5, 4096, 30_000));
    expect(older).toBeDefined();
    expect(await found(await profile.open())).toEqual({ [john.user]: inDoubt(john) });
  });

  it("loses nothing when the app is killed between setting it aside and putting the new one in its place", async () => {
    const profile = await filled();
    renameSync(profile.vaultPath, join(profile.folder, "vault.recovered.sqlite"));
    writeFileSync(join(profile.folder, "vault.recovering.tmp"), "half written");
    writeFileSync(`${profile.vaultPath}-wal`, "the log of the damaged vault");
    const opened = await profile.open();
    expect(await found(opened)).toEqual({ [john.user]: stillActive(john), [jane.user]: stillActive(jane) });
    expect(readdirSync(profile.folder).filter((name) => /recover/.test(name))).toEqual([]);
    expect(readdirSync(profile.folder)).toContain("vault.damaged-20261122-143005.sqlite-wal");
  });

  it("is not taken for a source again once its connections have been forgotten", async () => {
    const profile = await filled();
    profile.edit((database) => database.exec("DELETE FROM connection WHERE user = 'mmd10030.janedoe'"));
    const opened = await profile.open();
    expect(codes(opened)).toEqual(["vault_changed"]);
    valueOf(await opened.vault.deleteConnection(john, 2));
    opened.close();
    rmSync(profile.vaultPath);
    expect(await found(await profile.open())).toEqual({});
  });

  it("cut to nothing beside its log is not taken for a new one", async () => {
    const profile = await filled([john, jane], true);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(john, 2)));
    const log = readFileSync(`${profile.vaultPath}-wal`);
    opened.close();
    writeFileSync(`${profile.vaultPath}-wal`, log);
    truncateSync(profile.vaultPath, 0);
    const again = await profile.open();
    expect(codes(again)).toContain("vault_restored");
    expect(Object.keys(await found(again))).toHaveLength(2);
  });

  it("whose first page is damaged gives its rows with the first page of a backup", async () => {
    const profile = await filled([john], true);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(jane, 1)));
    opened.close();
    const bytes = readFileSync(profile.vaultPath);
    writeFileSync(profile.vaultPath, bytes.fill(0xa5, 0, 100));
    expect(await found(await profile.open())).toEqual({ [john.user]: stillActive(john), [jane.user]: stillActive(jane) });
  });

  it("that is an older copy besides does not vouch for itself", async () => {
    const profile = await filled();
    const old = readFileSync(profile.vaultPath);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(john, 2)));
    opened.close();
    const root = profile.edit((database) => database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'audit'").get());
    const at = (Number(root?.["rootpage"]) - 1) * 4096;
    writeFileSync(profile.vaultPath, old.fill(0xa5, at, at + 4096));
    expect(await found(await profile.open())).toEqual(both);
  });

  it("does not bring a program back that was removed", async () => {
    const profile = new Profile();
    const opened = await profile.open();
    const client = { clientId: "c", name: "DMS", clientKey: "key", access: { users: "all", providers: "all" }, pairedAtMs: nowMs } as const;
    valueOf(await opened.vault.saveClient(client));
    valueOf(await opened.backUp());
    valueOf(await opened.vault.deleteClient("c"));
    opened.close();
    truncateSync(profile.vaultPath, 0);
    expect(valueOf(await (await profile.open()).vault.listClients())).toEqual([]);
  });

  it("of another vault is left alone", async () => {
    const [profile, other] = [await filled(), await filled()];
    copyFileSync(other.vaultPath, profile.vaultPath);
    const refused = await profile.tryOpen();
    expect(refused.ok ? "opened" : refused.error.code).toBe("vault_locked");
    expect(readFileSync(profile.vaultPath).equals(readFileSync(other.vaultPath))).toBe(true);
    expect(setAsideNames(profile)).toEqual([]);
  });
});

function replaceByRecipes(profile: Profile): void {
  const other = join(temporaryFolder(), "other.sqlite");
  const database = new DatabaseSync(other);
  database.exec("CREATE TABLE recipes (name TEXT)");
  database.close();
  copyFileSync(other, profile.vaultPath);
}

/** Oldest first. */
function backupNames(profile: Profile): readonly string[] {
  return readdirSync(profile.folder)
    .filter((name) => name.startsWith("vault.backup-"))
    .sort();
}

describe("rows that another program changed", () => {
  it.each([
    ["an old row was put back", "INSERT OR REPLACE INTO connection SELECT * FROM old.connection WHERE user = 'mmd10030.johndoe'"],
    ["a row was taken away", "DELETE FROM connection WHERE user = 'mmd10030.johndoe'"],
    ["a row was added", "UPDATE connection SET user = 'mmd10030.mallory' WHERE user = 'mmd10030.johndoe'"],
  ])("are noticed when %s, and every grant is in doubt", async (_name, change) => {
    const profile = await filled();
    const old = join(temporaryFolder(), "old.sqlite");
    copyFileSync(profile.vaultPath, old);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(john, 2)));
    opened.close();
    profile.edit((database) => database.exec(`ATTACH '${old}' AS old; ${change}`));
    const again = await profile.open();
    expect(codes(again)).toEqual(["vault_changed"]);
    const after = await found(again);
    expect(after[jane.user]).toBe(inDoubt(jane));
    expect(Object.values(after).some((kind) => kind.startsWith("Active"))).toBe(false);
    expect(setAsideNames(profile)).toHaveLength(1);
  });

  it("do not give one user another user's record", async () => {
    const profile = await filled();
    profile.edit((database) => {
      const sealed = database.prepare("SELECT sealed_record FROM connection WHERE user = ?").get(john.user);
      database.prepare("UPDATE connection SET sealed_record = ? WHERE user = ?").run(sealed?.["sealed_record"] ?? null, jane.user);
    });
    const opened = await profile.open();
    expect(codes(opened)).toEqual(["vault_changed"]);
    expect(await found(opened)).toEqual({ [john.user]: inDoubt(john), [jane.user]: "ReconnectRequired" });
  });

  it("come back from the backup where theirs do not open", async () => {
    const profile = await filled([john, jane], true);
    profile.edit((database) => database.exec("UPDATE connection SET sealed_record = randomblob(300) WHERE user = 'mmd10030.janedoe'"));
    expect(await found(await profile.open())).toEqual(both);
  });

  it("cannot be hidden by passing the file off as one of the first version", async () => {
    const profile = await filled();
    profile.edit((database) =>
      database.exec(
        "DELETE FROM connection WHERE user = 'mmd10030.johndoe'; PRAGMA user_version = 1; DROP TABLE integrity; DROP TABLE epoch",
      ),
    );
    expect((await profile.open()).notices).not.toEqual([]);
  });
});

describe("an older copy of the vault", () => {
  it("is noticed, and every grant in it is in doubt", async () => {
    const profile = await filled();
    const old = readFileSync(profile.vaultPath);
    (await profile.open()).close();
    writeFileSync(profile.vaultPath, old);
    const opened = await profile.open();
    expect(codes(opened)).toEqual(["vault_rolled_back"]);
    expect(await found(opened)).toEqual(both);
    opened.close();
    expect((await profile.open()).notices).toEqual([]);
  });

  it("is noticed when the whole folder was put back, by the note in the credential store", async () => {
    const profile = await filled();
    const old = join(temporaryFolder(), "old");
    cpSync(profile.folder, old, { recursive: true });
    (await profile.open()).close();
    cpSync(old, profile.folder, { recursive: true });
    expect(codes(await profile.open())).toEqual(["vault_rolled_back"]);
  });

  it("is noticed when it comes with a stale write-ahead log", async () => {
    const profile = await filled();
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(john, 2)));
    const stale = readFileSync(`${profile.vaultPath}-wal`);
    valueOf(await opened.vault.commitConnection(active(john, 3)));
    opened.close();
    writeFileSync(`${profile.vaultPath}-wal`, stale);
    const again = await profile.open();
    expect(again.notices).not.toEqual([]);
    expect((await found(again))[john.user]).toMatch(/^InDoubt/);
  });

  it("is not made of a damaged note", async () => {
    const profile = await filled();
    const path = join(profile.folder, "vault-epoch.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(/"number":\d+/, '"number":99'));
    expect((await profile.open()).notices).toEqual([]);
  });

  it("is told from a vault whose notes were lost", async () => {
    const profile = await filled();
    rmSync(join(profile.folder, "vault-epoch.json"));
    profile.credentialStore.entries.forEach((_value, account) => {
      if (account.includes("epoch")) profile.credentialStore.entries.delete(account);
    });
    const opened = await profile.open();
    expect(opened.notices).toEqual([]);
    expect(await found(opened)).toEqual({ [john.user]: stillActive(john), [jane.user]: stillActive(jane) });
  });
});

describe("a record with a flipped bit", () => {
  function flip(profile: Profile, table: string, column: string, where: string): void {
    profile.edit((database) => {
      const row = database.prepare(`SELECT ${column} AS sealed FROM ${table} WHERE ${where}`).get();
      // A BLOB column always reads as bytes.
      const sealed = row?.["sealed"] as Uint8Array;
      sealed[20] = (sealed[20] ?? 0) ^ 1;
      database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(sealed);
    });
  }
  const johns = `user = '${john.user}'`;

  it("is restored as it was from a backup of the very same record", async () => {
    const profile = await filled([john, jane], true);
    flip(profile, "connection", "sealed_record", johns);
    const opened = await profile.open();
    expect(valueOf(await opened.inspect())).toMatchObject({ restored: 1, unreadable: [], audit: { kind: "intact" } });
    expect(await found(opened)).toEqual({ [john.user]: stillActive(john), [jane.user]: stillActive(jane) });
  });

  it("is restored in doubt from an older record", async () => {
    const profile = await filled([john, jane], true);
    const opened = await profile.open();
    valueOf(await opened.vault.commitConnection(active(john, 2)));
    opened.close();
    flip(profile, "connection", "sealed_record", johns);
    const again = await profile.open();
    expect(valueOf(await again.inspect()).restored).toBe(1);
    expect(await found(again)).toEqual({ [john.user]: inDoubt(john, 1), [jane.user]: stillActive(jane) });
    again.close();
    expect((await profile.open()).notices).toEqual([]);
  });

  it("is restored when it is asked for before the inspection came to it, which counts it all the same", async () => {
    const profile = await filled([john, jane], true);
    flip(profile, "connection", "sealed_record", johns);
    const { vault, inspect } = await profile.open();
    expect(valueOf(await vault.readConnection(john))).toEqual(active(john, 1));
    expect(valueOf(await inspect())).toMatchObject({ restored: 1, unreadable: [] });
  });

  it("is named when no backup has it, and the others are kept", async () => {
    const profile = await filled();
    flip(profile, "connection", "sealed_record", johns);
    const opened = await profile.open();
    expect(valueOf(await opened.inspect())).toMatchObject({ restored: 0, unreadable: [john] });
    expect(await found(opened)).toEqual({ [john.user]: "grant_unreadable", [jane.user]: stillActive(jane) });
  });

  it("of a secret is restored at the opening, or told", async () => {
    const profile = new Profile();
    const opened = await profile.open();
    valueOf(await opened.vault.saveSecret("one", "first, long enough"));
    valueOf(await opened.backUp());
    valueOf(await opened.vault.saveSecret("two", "second, long enough"));
    opened.close();
    flip(profile, "secret", "sealed_value", "name = 'one'");
    flip(profile, "secret", "sealed_value", "name = 'two'");
    const again = await profile.open();
    expect(codes(again)).toEqual(["vault_record_restored", "vault_record_damaged"]);
    expect(valueOf(await again.vault.readSecret("one"))).toBe("first, long enough");
  });
});

describe("plain columns that were damaged", () => {
  it("are shown again as the record says", async () => {
    const profile = await filled();
    profile.edit((database) =>
      database.exec("UPDATE connection SET state_kind = 'Actjve', organisation = 'x' WHERE user = 'mmd10030.johndoe'"),
    );
    const opened = await profile.open();
    expect(valueOf(await opened.vault.listConnections())).toHaveLength(1);
    valueOf(await opened.inspect());
    expect(valueOf(await opened.vault.listConnections())).toMatchObject([{ key: jane }, { key: john, organisation: "10030/MMD" }]);
  });
});

describe("backups", () => {
  it("are told apart by their number, whatever the clock says", async () => {
    const profile = await filled();
    for (const at of [Date.UTC(2038, 0, 1), nowMs, nowMs - 1_000, nowMs - 2_000]) {
      const opened = valueOf(await profile.tryOpen({ nowMs: () => at }));
      valueOf(await opened.vault.commitConnection(active({ ...john, user: `user-${at}` }, 1)));
      valueOf(await opened.backUp());
      opened.close();
    }
    rmSync(profile.vaultPath);
    expect(Object.keys(await found(await profile.open()))).toHaveLength(6);
  });

  it("are the three newest", async () => {
    const profile = await filled();
    const opened = await profile.open();
    for (let number = 0; number < 5; number += 1) valueOf(await opened.backUp());
    expect(backupNames(profile)).toHaveLength(3);
    expect(opened.newestBackupAtMs()).toBe(Math.floor(nowMs / 1000) * 1000);
  });

  it("no longer hold a connection that was forgotten", async () => {
    const profile = await filled([john, jane], true);
    const opened = await profile.open();
    valueOf(await opened.vault.deleteConnection(john, 1));
    opened.close();
    truncateSync(profile.vaultPath, 0);
    expect(await found(await profile.open())).toEqual({ [jane.user]: inDoubt(jane) });
  });

  it("that were killed leave nothing behind", async () => {
    const profile = await filled();
    writeFileSync(join(profile.folder, "vault.backup-unfinished.tmp"), "half");
    await profile.open();
    expect(readdirSync(profile.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
  });

  it("that cannot be written are a failure with its reason, and the vault goes on", async () => {
    const profile = await filled();
    const opened = await profile.open();
    // A folder with something in it stands where the copy is made.
    cpSync(import.meta.dirname, join(profile.folder, "vault.backup-unfinished.tmp"), { recursive: true });
    const failed = await opened.backUp();
    expect(failed.ok ? "" : failed.error.code).toBe("vault_backup_failed");
    valueOf(await opened.vault.commitConnection(active(john, 2)));
  });
});
