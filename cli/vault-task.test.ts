import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { mazda, registrationInput, webfleet } from "../electron/core/testing/records.ts";
import { active, jane, john, Profile, record, valueOf } from "../electron/vault/testing/profile.ts";
import { type OpenedVault, openVault } from "../electron/vault/vault.ts";
import { failure } from "../shared/failure.ts";
import { runVaultTask, type VaultTask, type VaultTaskParts } from "./vault-task.ts";

const filePassphrase = "five random words of mine";
const vaultPassphrase = "another five random words";

// Making a key of a passphrase takes long on purpose, and longer while other tests run.
vi.setConfig({ testTimeout: 60_000 });

let printed: string[] = [];
let told: string[] = [];
beforeEach(() => {
  printed = [];
  told = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void told.push(line));
});

/** One computer: a profile whose key the credential store keeps, and somebody at the terminal. */
class Computer {
  readonly profile = new Profile();
  readonly asked: string[] = [];
  /** What the person types, in order; nobody is there when it is empty. */
  typed: string[] = [];

  get parts(): VaultTaskParts {
    const { profile } = this;
    return {
      profileFolder: profile.folder,
      vaultIsThere: () => existsSync(profile.vaultPath),
      openVault: (passphrase) =>
        openVault({
          folder: profile.folder,
          safeStorage: profile.safeStorage,
          credentialStore: profile.credentialStore,
          nowMs: Date.now,
          platform: "linux",
          ...(passphrase === undefined ? {} : { passphrase }),
        }),
      providers: async () => [mazda, webfleet],
      ask: async (prompt) => {
        this.asked.push(prompt);
        return this.typed.shift();
      },
    };
  }

  run(task: VaultTask, ...typed: string[]): Promise<number> {
    // The command line never has Electron's.
    this.profile.safeStorage.available = false;
    this.typed = typed;
    return runVaultTask(task, this.parts);
  }

  /** Opens the vault as the app would, and closes it. */
  async use<T>(work: (opened: OpenedVault) => Promise<T>, passphrase?: string): Promise<T> {
    this.profile.safeStorage.available = true;
    const opened = valueOf(await this.profile.tryOpen(passphrase === undefined ? {} : { passphrase }));
    try {
      return await work(opened);
    } finally {
      opened.close();
    }
  }

  /** `action actor outcome` of what the audit log tells of this process. */
  auditRows(): Promise<readonly string[]> {
    return this.use(async (opened) => {
      const rows = valueOf(await opened.listAudit(100)).toReversed();
      return rows.filter(({ entry }) => entry.actor === "command-line").map(({ entry }) => `${entry.action} ${entry.outcome}`);
    });
  }

  file(name: string): string {
    return path.join(this.profile.folder, name);
  }
}

/** A computer with one registration and two connections. */
async function usedComputer(): Promise<Computer> {
  const computer = new Computer();
  await computer.use(async ({ vault }) => {
    const { clientSecret, ...registration } = registrationInput();
    valueOf(
      await vault.saveRegistrations([{ registration: { ...registration, hasClientSecret: true }, clientSecret: clientSecret ?? "" }]),
    );
    valueOf(await vault.commitConnection(active(john, 1)));
    const dead = failure("grant_dead", { provider: "Mazda" });
    valueOf(await vault.commitConnection(record(jane, 1, { kind: "ReconnectRequired", failure: dead })));
  });
  return computer;
}

function exportTask(computer: Computer, changes: Partial<VaultTask & { readonly kind: "export" }> = {}): VaultTask {
  const file = computer.file("export.json");
  return { kind: "export", file, includeSignIns: false, passphraseFile: undefined, vaultPassphraseFile: undefined, ...changes };
}

function importTask(file: string): VaultTask {
  return { kind: "import", file, passphraseFile: undefined, vaultPassphraseFile: undefined };
}

const verify: VaultTask = { kind: "verify", vaultPassphraseFile: undefined };
const rekey: VaultTask = { kind: "rekey", vaultPassphraseFile: undefined };

describe("dms-connect vault export and import", () => {
  it("move everything but the sign-ins to a new computer, and both logs tell of it", async () => {
    const old = await usedComputer();
    expect(await old.run(exportTask(old), filePassphrase, filePassphrase)).toBe(0);
    expect(printed).toContain("  connections: 2");
    expect(told).toEqual([]);
    const mode = (await stat(old.file("export.json"))).mode & 0o077;
    expect(process.platform === "win32" || mode === 0).toBe(true);

    const fresh = new Computer();
    expect(await fresh.run(importTask(old.file("export.json")), filePassphrase)).toBe(0);
    expect(printed).toContain("  registrations: 1");
    const moved = await fresh.use(async ({ vault }) => [
      valueOf(await vault.readRegistration("mazda", "production"))?.clientSecret,
      valueOf(await vault.readConnection(john))?.state,
    ]);
    expect(moved).toEqual(["client-secret", { kind: "ReconnectRequired", failure: failure("connection_moved", { provider: "Mazda" }) }]);
    expect([await old.auditRows(), await fresh.auditRows()]).toEqual([["vault.export ok"], ["vault.import ok"]]);
  });

  it("move sign-ins only when asked to, with a warning and audit words of their own", async () => {
    const old = await usedComputer();
    expect(await old.run(exportTask(old, { includeSignIns: true }), filePassphrase, filePassphrase)).toBe(0);
    expect(told.join("\n")).toMatch(/act as these users[^]*forget the\nconnections/);
    const fresh = new Computer();
    expect(await fresh.run(importTask(old.file("export.json")), filePassphrase)).toBe(0);
    expect(await fresh.use(async ({ vault }) => valueOf(await vault.readConnection(john))?.state)).toEqual(active(john, 1).state);
    expect([await old.auditRows(), await fresh.auditRows()]).toEqual([
      ["vault.export.with-sign-ins ok"],
      ["vault.import.with-sign-ins ok"],
    ]);
    expect([...printed, ...told].join()).not.toMatch(/access-token|refresh-token|client-secret|five random/);
  });

  it("leave what is here already, and say so", async () => {
    const computer = await usedComputer();
    await computer.run(exportTask(computer), filePassphrase, filePassphrase);
    printed = [];
    expect(await computer.run(importTask(computer.file("export.json")), filePassphrase)).toBe(0);
    expect(printed).toContain("  skipped, here already or unknown: 3");
    expect(await computer.use(async ({ vault }) => valueOf(await vault.readConnection(john))?.state.kind)).toBe("Active");
  });

  it("take the passphrase from a file", async () => {
    const computer = await usedComputer();
    const passphraseFile = computer.file("passphrase.txt");
    await writeFile(passphraseFile, `${filePassphrase}\n`, { mode: 0o600 });
    expect(await computer.run(exportTask(computer, { passphraseFile }))).toBe(0);
    expect([computer.asked, told]).toEqual([[], []]);
  });

  it("replace no file that is there", async () => {
    const computer = await usedComputer();
    const before = await readFile(computer.profile.vaultPath);
    await expect(computer.run(exportTask(computer, { file: computer.profile.vaultPath }), filePassphrase)).rejects.toThrow(
      "is there already",
    );
    expect((await readFile(computer.profile.vaultPath)).equals(before)).toBe(true);
  });

  it.each([
    ["a weak passphrase", "export.json", 8, "vault_passphrase_weak"],
    ["a place that cannot be written", "missing/export.json", 1, "file_not_written"],
  ])("do not go on with %s, and the log tells of it", async (_what, name, exitCode, code) => {
    const computer = await usedComputer();
    const passphrase = code === "vault_passphrase_weak" ? "short" : filePassphrase;
    expect(await computer.run(exportTask(computer, { file: computer.file(name) }), passphrase, passphrase)).toBe(exitCode);
    expect(existsSync(computer.file(name))).toBe(false);
    expect([told.at(-1)?.includes(code), await computer.auditRows()]).toEqual([true, [`vault.export ${code}`]]);
  });

  it("take in nothing with a wrong passphrase", async () => {
    const old = await usedComputer();
    await old.run(exportTask(old), filePassphrase, filePassphrase);
    const fresh = new Computer();
    expect(await fresh.run(importTask(old.file("export.json")), "not the right words")).toBe(8);
    expect(await fresh.use(async ({ vault }) => valueOf(await vault.listConnections()))).toEqual([]);
    expect(await fresh.auditRows()).toEqual(["vault.import vault_passphrase_wrong"]);
  });

  it("open no vault for a file that cannot be read", async () => {
    const computer = new Computer();
    expect(await computer.run(importTask(computer.file("missing.json")), filePassphrase)).toBe(8);
    expect([computer.asked, existsSync(computer.profile.vaultPath)]).toEqual([[], false]);
  });

  it("let nothing leave that the log could not take", async () => {
    const computer = await usedComputer();
    const { openVault: open, ...parts } = computer.parts;
    computer.typed = [filePassphrase, filePassphrase];
    const refusing: VaultTaskParts["openVault"] = async (passphrase) => {
      const opened = await open(passphrase);
      if (!opened.ok) return opened;
      const appendAudit = async () => ({ ok: false, error: failure("vault_write_failed", { problem: "disk full" }) }) as const;
      return { ok: true, value: { ...opened.value, vault: { ...opened.value.vault, appendAudit } } };
    };
    expect(await runVaultTask(exportTask(computer), { ...parts, openVault: refusing })).toBe(1);
    expect(existsSync(computer.file("export.json"))).toBe(false);
  });
});

describe("dms-connect vault rekey", () => {
  it("changes the key, keeps what is in the vault and tells the log", async () => {
    const computer = await usedComputer();
    const before = await computer.use(async () => readFile(computer.file("vault-keys.json"), "utf8"));
    expect(await computer.run(rekey)).toBe(0);
    expect(await readFile(computer.file("vault-keys.json"), "utf8")).not.toBe(before);
    expect(await computer.use(async ({ vault }) => valueOf(await vault.readConnection(john)))).toEqual(active(john, 1));
    expect(await computer.auditRows()).toEqual(["vault.rekey ok"]);
  });

  it("asks for the passphrase of a vault that has one, and needs the right one", async () => {
    const computer = await usedComputer();
    await computer.use(async (opened) => valueOf(await opened.setPassphrase(vaultPassphrase)));
    expect(await computer.run(rekey, "not the right words")).toBe(8);
    expect(await computer.run(rekey, vaultPassphrase)).toBe(0);
    expect(computer.asked).toEqual(["Passphrase of the vault: ", "Passphrase of the vault: "]);
    expect(await computer.auditRows()).toEqual(["vault.rekey vault_passphrase_wrong", "vault.rekey ok"]);
  });
});

describe("dms-connect vault verify", () => {
  it("finds everything in order", async () => {
    const computer = await usedComputer();
    expect(await computer.run(verify)).toBe(0);
    expect(printed.map((line) => line.slice(0, 30))).toEqual([
      expect.stringMatching(/^ok {4}vault: opens/),
      "ok    registrations: 1 open",
      "ok    connections: 2 open",
      expect.stringMatching(/^ok {4}audit log: \d+ rows/),
    ]);
  });

  it("names a connection that cannot be read, and one that a backup has mended", async () => {
    const damage =
      "UPDATE connection SET sealed_record = CAST(substr(sealed_record, 1, 40) || x'00000000' || substr(sealed_record, 45) AS BLOB) WHERE user = ?";
    const mended = await usedComputer();
    await mended.use(async (opened) => valueOf(await opened.backUp()));
    mended.profile.edit((database) => database.prepare(damage).run(john.user));
    expect(await mended.run(verify)).toBe(0);
    expect(printed).toContain("note  connections: 1 damaged ones were restored from a backup");

    const lost = await usedComputer();
    lost.profile.edit((database) => database.prepare(damage).run(john.user));
    for (const name of await readdir(lost.profile.folder)) if (name.startsWith("vault.backup-")) await rm(lost.file(name));
    expect(await lost.run(verify)).toBe(1);
    expect(printed).toContain("fail  connection mazda (production) mmd10030.johndoe: cannot be read");
    expect(printed).toContain("ok    connections: 1 open");
  });

  it("names a changed row of the audit log", async () => {
    const computer = await usedComputer();
    await computer.run(rekey);
    printed = [];
    computer.profile.edit((database) => {
      const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
      for (const { name } of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
      database.exec("UPDATE audit SET entry = replace(entry, 'vault.rekey', 'vault.other')");
      // A missing trigger would be noticed by itself.
      for (const trigger of triggers) database.exec(String(trigger["sql"]));
    });
    expect(await computer.run(verify)).toBe(1);
    expect(printed.join("\n")).toMatch(/fail {2}audit log: row \d+ was changed/);
  });
});

describe("every command of the vault", () => {
  it.each([verify, rekey])("does not make a vault where there is none: $kind", async (task) => {
    const computer = new Computer();
    expect(await computer.run(task)).toBe(1);
    expect(existsSync(computer.profile.vaultPath)).toBe(false);
  });

  it("says that the app is running", async () => {
    const computer = await usedComputer();
    await computer.use(async () => {
      expect(await computer.run(verify)).toBe(14);
    });
    expect(told.join("\n")).toMatch(/Quit DMS Connect[^]*vault_in_use/);
  });

  it("asks for the vault's passphrase only where the keys of this computer do not open it", async () => {
    const computer = await usedComputer();
    await computer.use(async (opened) => valueOf(await opened.setPassphrase(vaultPassphrase)));
    expect([await computer.run(verify), computer.asked]).toEqual([0, []]);
    computer.profile.credentialStore.problem = "unavailable";
    expect(await computer.run(verify, vaultPassphrase)).toBe(0);
    expect(computer.asked).toEqual(["Passphrase of the vault: "]);
    expect(await computer.run(verify, "not the right words")).toBe(8);
    expect(await computer.run(verify)).toBe(10);
    expect(told.join("\n")).toContain("--vault-passphrase-file");
  });

  it("takes the vault's passphrase from a file", async () => {
    const computer = await usedComputer();
    await computer.use(async (opened) => valueOf(await opened.setPassphrase(vaultPassphrase)));
    computer.profile.credentialStore.problem = "unavailable";
    const vaultPassphraseFile = computer.file("passphrase.txt");
    await writeFile(vaultPassphraseFile, vaultPassphrase, { mode: 0o600 });
    expect(await computer.run({ kind: "rekey", vaultPassphraseFile })).toBe(0);
    expect(computer.asked).toEqual([]);
  });
});
