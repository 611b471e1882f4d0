import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { latestVersion } from "./migrations.ts";
import { active, failureOf, jane, john, Profile, temporaryFolder, valueOf } from "./testing/profile.ts";
import { inTransaction } from "./transaction.ts";
import { problemOf, writeFailed } from "./vault-failures.ts";

async function filled(): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  valueOf(await opened.vault.commitConnection(active(john, 1)));
  opened.close();
  return profile;
}

describe("the vault's files", () => {
  it.skipIf(process.platform === "win32")("are the owner's alone, the write-ahead log included", async () => {
    const profile = new Profile();
    const { vault } = await profile.open();
    valueOf(await vault.commitConnection(active(john, 1)));
    expect(statSync(profile.folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(profile.folder);
    expect(files).toContain("vault.sqlite-wal");
    for (const file of files) expect(statSync(join(profile.folder, file)).mode & 0o777).toBe(0o600);
  });

  it("keep commits durable and overwritten content zeroed", async () => {
    const profile = await filled();
    const found = profile.edit((database) => [
      database.prepare("PRAGMA journal_mode").get()?.["journal_mode"],
      database.prepare("PRAGMA user_version").get()?.["user_version"],
      database.prepare("PRAGMA application_id").get()?.["application_id"],
    ]);
    expect(found).toEqual(["wal", latestVersion, 0x444d5343]);
  });

  it("are refused to a second opening in the same process", async () => {
    const profile = new Profile();
    const first = await profile.open();
    const refused = failureOf(await profile.tryOpen());
    expect(refused.code).toBe("vault_in_use");
    first.close();
    await profile.open();
  });

  it("are refused while another process holds them, and free once it was killed", async () => {
    const profile = await filled();
    const module = JSON.stringify(join(import.meta.dirname, "vault-folder.ts"));
    const script = `import { lockFolder } from ${module}; const held = lockFolder(${JSON.stringify(profile.folder)});
      console.log(held.ok); setInterval(() => held, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => {
      holder.kill("SIGKILL");
    });
    const said: unknown[] = await once(holder.stdout, "data");
    expect(String(said[0]).trim()).toBe("true");
    expect(failureOf(await profile.tryOpen()).code).toBe("vault_in_use");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const { vault } = await profile.open();
    expect(valueOf(await vault.readConnection(john))).toEqual(active(john, 1));
  });
});

describe("a damaged vault", () => {
  const name = "vault.damaged-20261122-143005.sqlite";

  /** Opens the profile with these bytes for a vault; they must be kept, and the new vault must work. Gives the notices. */
  async function noticesAfter(profile: Profile, damaged: Buffer): Promise<unknown> {
    writeFileSync(profile.vaultPath, damaged);
    const { vault, notices } = await profile.open();
    expect(readFileSync(join(profile.folder, name)).equals(damaged)).toBe(true);
    expect(valueOf(await vault.listConnections())).toEqual([]);
    valueOf(await vault.commitConnection(active(jane, 1)));
    return notices.map(({ code, params }) => ({ code, params }));
  }
  const setAside = [{ code: "vault_damaged", params: { file: name, kept: 0 } }];

  it("that is no database is set aside under its date and a new one made", async () => {
    expect(await noticesAfter(await filled(), Buffer.from("this is not a database, ".repeat(400)))).toEqual(setAside);
  });

  it("with pages of noise is set aside", async () => {
    const profile = await filled();
    expect(await noticesAfter(profile, readFileSync(profile.vaultPath).fill(0xa5, 4096))).toEqual(setAside);
  });

  it("that was cut is set aside", async () => {
    const profile = await filled();
    expect(await noticesAfter(profile, readFileSync(profile.vaultPath).subarray(0, 3 * 4096 + 100))).toEqual(setAside);
  });

  it("that is another program's database is set aside", async () => {
    const other = join(temporaryFolder(), "other.sqlite");
    const database = new DatabaseSync(other);
    database.exec("CREATE TABLE recipes (name TEXT)");
    database.close();
    expect(await noticesAfter(await filled(), readFileSync(other))).toEqual(setAside);
  });

  it("does not overwrite one that was set aside in the same second", async () => {
    const profile = await filled();
    for (const text of ["first damage ".repeat(50), "second damage ".repeat(50)]) {
      writeFileSync(profile.vaultPath, text);
      (await profile.open()).close();
    }
    const aside = readdirSync(profile.folder).filter((name) => name.startsWith("vault.damaged-"));
    expect(aside.sort()).toEqual(["vault.damaged-20261122-143005-2.sqlite", "vault.damaged-20261122-143005.sqlite"]);
  });
});

describe("a vault of another version", () => {
  it("that is newer is refused and left as it is", async () => {
    const profile = await filled();
    await profile.makeNewer(1000);
    const before = readFileSync(profile.vaultPath);
    expect(failureOf(await profile.tryOpen()).code).toBe("vault_newer");
    expect(readFileSync(profile.vaultPath).equals(before)).toBe(true);
    await profile.makeNewer(latestVersion);
    await profile.open();
  });

  it("that only calls itself newer is damaged, and recovered", async () => {
    const profile = await filled();
    profile.edit((database) => database.exec("PRAGMA user_version = 1000"));
    const opened = await profile.open();
    expect(opened.notices.map(({ code }) => code)).toEqual(["vault_damaged"]);
    expect(valueOf(await opened.vault.listConnections())).not.toEqual([]);
  });

  it("that is empty, as a stop before the first write leaves it, becomes a new vault", async () => {
    const profile = new Profile();
    writeFileSync(profile.vaultPath, "");
    const opened = await profile.open();
    expect(opened.notices).toEqual([]);
  });
});

describe("a disk that refuses", () => {
  function thrownBy(work: () => unknown): unknown {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error("nothing was thrown");
  }

  it("is named in one phrase: full", () => {
    const database = new DatabaseSync(join(temporaryFolder(), "full.sqlite"));
    onTestFinished(() => database.close());
    database.exec("CREATE TABLE row (value TEXT); PRAGMA max_page_count = 3");
    const insert = database.prepare("INSERT INTO row VALUES (?)");
    const error = thrownBy(() => inTransaction(database, () => insert.run("secret-value".repeat(2_000))));
    expect(writeFailed(error)).toMatchObject({ code: "vault_write_failed", params: { problem: "disk full" } });
    expect(database.isTransaction).toBe(false);
    database.exec("PRAGMA max_page_count = 1000");
    inTransaction(database, () => insert.run("small"));
    expect(database.prepare("SELECT count(*) AS rows FROM row").get()?.["rows"]).toBe(1);
  });

  it("is named in one phrase: read-only", () => {
    const path = join(temporaryFolder(), "readonly.sqlite");
    new DatabaseSync(path).close();
    writeFileSync(path, "");
    const database = new DatabaseSync(path, { readOnly: true });
    onTestFinished(() => database.close());
    expect(problemOf(thrownBy(() => database.exec("CREATE TABLE row (value TEXT)")))).toBe("read-only");
  });

  it("is a failure, not a crash, when the folder cannot be made", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const refused = failureOf(await new Profile().tryOpen({ folder: join(file, "profile") }));
    expect(refused.code).toBe("vault_write_failed");
    expect(existsSync(file)).toBe(true);
  });

  it("does not hide a bug", () => {
    expect(() => writeFailed(new TypeError("a bug"))).toThrow("a bug");
  });
});
