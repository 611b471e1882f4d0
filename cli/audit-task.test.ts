import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { Writable } from "node:stream";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { openAuditBeside } from "../electron/vault/audit-beside.ts";
import { tamper } from "../electron/vault/testing/audit-log.ts";
import { nowMs, Profile, valueOf } from "../electron/vault/testing/profile.ts";
import { type OpenedVault, openVault } from "../electron/vault/vault.ts";
import { failure } from "../shared/failure.ts";
import { err } from "../shared/result.ts";
import { type AuditTask, type AuditTaskParts, runAuditTask } from "./audit-task.ts";

const vaultPassphrase = "another five random words";
const verify: AuditTask = { kind: "verify", vaultPassphraseFile: undefined };
const rowCount = 300;

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

/** One profile with a log, and what the commands print of it. */
class Computer {
  readonly profile = new Profile();
  output = "";
  typed: string[] = [];

  get parts(): AuditTaskParts {
    const { profile } = this;
    const vaultOptions = (passphrase: string | undefined) => ({ ...profile.options, ...(passphrase === undefined ? {} : { passphrase }) });
    return {
      profileFolder: profile.folder,
      vaultIsThere: () => existsSync(profile.vaultPath),
      openVault: (passphrase) => openVault(vaultOptions(passphrase)),
      openBeside: () => openAuditBeside(profile.folder),
      vaultOptions,
      ask: async () => this.typed.shift(),
      output: new Writable({
        write: (chunk, _encoding, done) => {
          this.output += String(chunk);
          done();
        },
      }),
    };
  }

  async fill(): Promise<void> {
    const opened = await this.profile.open();
    const appended = Array.from({ length: rowCount }, (_, index) =>
      opened.vault.appendAudit({ atMs: nowMs + index, action: "token.get", actor: "client-1", outcome: "ok" }),
    );
    for (const result of await Promise.all(appended)) valueOf(result);
    opened.close();
  }

  /** The app is running while `work` does. */
  async whileOpen(work: (opened: OpenedVault) => Promise<void>): Promise<void> {
    this.profile.safeStorage.available = true;
    const opened = await this.profile.open();
    // The command line never has Electron's.
    this.profile.safeStorage.available = false;
    await work(opened);
    opened.close();
  }

  run(task: AuditTask, changes: Partial<AuditTaskParts> = {}): Promise<number> {
    this.profile.safeStorage.available = false;
    return runAuditTask(task, { ...this.parts, ...changes });
  }

  /** `action outcome` of what the log tells of the command line. */
  async ownRows(): Promise<readonly string[]> {
    let rows: readonly string[] = [];
    await this.whileOpen(async (opened) => {
      const listed = valueOf(await opened.listAudit(1_000)).toReversed();
      rows = listed.filter(({ entry }) => entry.actor === "command-line").map(({ entry }) => `${entry.action} ${entry.outcome}`);
    });
    return rows;
  }

  file(name: string): string {
    return path.join(this.profile.folder, name);
  }
}

async function usedComputer(): Promise<Computer> {
  const computer = new Computer();
  await computer.fill();
  return computer;
}

function exportTask(file: string | undefined, format: "csv" | "jsonl" = "jsonl"): AuditTask {
  return { kind: "export", format, file, vaultPassphraseFile: undefined };
}

function lines(text: string): readonly string[] {
  return text.trimEnd().split("\n");
}

describe("dms-connect audit verify", () => {
  it("proves the log, prints the newest row's hash to note, and is in the log", async () => {
    const computer = await usedComputer();
    expect(await computer.run(verify)).toBe(0);
    expect(printed[0]).toMatch(/^audit log: \d+ rows, unbroken$/);
    expect(printed[1]).toMatch(/^row \d+: [0-9a-f]{64}$/);
    expect(await computer.ownRows()).toEqual(["audit.verify ok"]);
  });

  it.each([
    ["row 7 was changed", "UPDATE audit SET entry = replace(entry, 'client-1', 'client-2') WHERE sequence = 7"],
    ["row 7 is missing", "DELETE FROM audit WHERE sequence = 7"],
    ["rows were cut off or exchanged before row 7", "DELETE FROM audit WHERE sequence >= 7"],
  ])("says that %s, what to do, and exits with a code of its own", async (what, sql) => {
    const computer = await usedComputer();
    tamper(computer.profile, sql);
    expect(await computer.run(verify)).toBe(15);
    expect(printed[0]).toBe(`audit log: broken: ${what}`);
    expect(printed[1]).toContain("What to do: Keep a copy");
    expect(await computer.ownRows()).toEqual(["audit.verify audit_broken"]);
  });

  it("works beside the running app, which tells of it", async () => {
    const computer = await usedComputer();
    await computer.whileOpen(async (opened) => {
      expect(await computer.run(verify)).toBe(0);
      const { rows } = valueOf(await opened.pageAudit({ limit: 1 }));
      expect(rows[0]).toMatchObject({ action: "audit.verify", actor: "command-line", outcome: "ok" });
    });
    expect(told).toEqual([]);
  });

  it("notices a break beside the running app", async () => {
    const computer = await usedComputer();
    tamper(computer.profile, "DELETE FROM audit WHERE sequence = 7");
    await computer.whileOpen(async () => {
      expect(await computer.run(verify)).toBe(15);
    });
    expect(await computer.ownRows()).toEqual(["audit.verify audit_broken"]);
  });

  it("asks for the passphrase where the keys do not open the vault, running or not", async () => {
    const computer = await usedComputer();
    await computer.whileOpen(async (opened) => {
      valueOf(await opened.setPassphrase(vaultPassphrase));
      computer.profile.credentialStore.problem = "unavailable";
      computer.typed = [vaultPassphrase];
      expect(await computer.run(verify)).toBe(0);
      expect(await computer.run(verify)).toBe(10);
      expect(told.join("\n")).toContain("--vault-passphrase-file");
    });
    computer.typed = [vaultPassphrase];
    expect(await computer.run(verify)).toBe(0);
  });

  it("sends to the window when the key cannot be had here", async () => {
    const computer = await usedComputer();
    await computer.whileOpen(async () => {
      computer.profile.credentialStore.problem = "unavailable";
      expect(await computer.run(verify)).toBe(10);
    });
    expect([printed, told.join("\n")]).toEqual([[], expect.stringContaining("Use the page Audit log in the window") as string]);
  });
});

describe("dms-connect audit export", () => {
  it("writes every row to standard output, its own first of all", async () => {
    const computer = await usedComputer();
    expect(await computer.run(exportTask(undefined))).toBe(0);
    const rows = lines(computer.output).map((line) => JSON.parse(line) as { readonly sequence: number; readonly action: string });
    expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_row, index) => index + 1));
    expect(rows.at(-1)).toMatchObject({ action: "audit.export", actor: "command-line", outcome: "ok" });
    expect([printed, told]).toEqual([[], []]);
  });

  it("writes a file for its owner alone, whole or not at all", async () => {
    const computer = await usedComputer();
    const file = computer.file("log.csv");
    expect(await computer.run(exportTask(file, "csv"))).toBe(0);
    expect(printed).toEqual([`Exported to ${file}.`]);
    expect((await readFile(file, "utf8")).startsWith("\uFEFFsequence,time,")).toBe(true);
    const mode = (await stat(file)).mode & 0o077;
    expect(process.platform === "win32" || mode === 0).toBe(true);
    await expect(computer.run(exportTask(file, "csv"))).rejects.toThrow("is there already");
  });

  it("says when the file cannot be written, and so does the log", async () => {
    const computer = await usedComputer();
    expect(await computer.run(exportTask(computer.file("missing/log.csv")))).toBe(1);
    expect(told.join("\n")).toContain("file_not_written");
    expect(await computer.ownRows()).toEqual(["audit.export ok", "audit.export file_not_written"]);
  });

  it("lets nothing leave that the log could not take", async () => {
    const computer = await usedComputer();
    const openVault: AuditTaskParts["openVault"] = async (passphrase) => {
      const opened = await computer.parts.openVault(passphrase);
      if (!opened.ok) return opened;
      const appendAudit = async () => err(failure("vault_write_failed", { problem: "disk full" }));
      return { ok: true, value: { ...opened.value, vault: { ...opened.value.vault, appendAudit } } };
    };
    expect(await computer.run(exportTask(undefined), { openVault })).toBe(1);
    expect(computer.output).toBe("");
  });

  it("works beside the running app, which tells of it", async () => {
    const computer = await usedComputer();
    await computer.whileOpen(async () => {
      expect(await computer.run(exportTask(undefined))).toBe(0);
      expect(lines(computer.output)).toHaveLength(rowCount);
    });
    expect(await computer.ownRows()).toEqual(["audit.export ok"]);
  });

  it("works although the vault does not open: its rows are not sealed", async () => {
    const computer = await usedComputer();
    computer.profile.credentialStore.problem = "unavailable";
    expect(await computer.run(exportTask(undefined))).toBe(0);
    expect(lines(computer.output).length).toBeGreaterThanOrEqual(rowCount);
    expect(await computer.run(verify)).toBe(10);
    computer.profile.credentialStore.problem = undefined;
    expect(await computer.ownRows()).toEqual(["audit.export ok"]);
  });

  it.each([verify, exportTask(undefined)])("makes no vault where there is none: $kind", async (task) => {
    const computer = new Computer();
    expect(await computer.run(task)).toBe(1);
    expect(existsSync(computer.profile.vaultPath)).toBe(false);
  });
});
