import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Run, runProgram } from "../electron/pipe/testing/run-program.ts";
import { tamper } from "../electron/vault/testing/audit-log.ts";
import { nowMs, Profile, valueOf } from "../electron/vault/testing/profile.ts";

/** Making keys of a passphrase takes long on purpose, and longer while other tests run. */
const deriveKeysMs = 60_000;
/** More than a pipe holds. */
const rowCount = 3_000;

// No session bus, so that the tester's own password store is never asked.
function environment(profile: Profile) {
  return { DMS_CONNECT_PROFILE: profile.folder, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
}

function run(profile: Profile, ...args: string[]): Promise<Run> {
  return runProgram("cli/dms-connect.ts", ["audit", ...args], environment(profile));
}

/** The app runs, with a log. */
async function running(): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  const appended = Array.from({ length: rowCount }, (_, index) =>
    opened.vault.appendAudit({ atMs: nowMs + index, action: "token.get", actor: "client-1", user: `user-${index}`, outcome: "ok" }),
  );
  for (const result of await Promise.all(appended)) valueOf(result);
  return profile;
}

describe("dms-connect audit", () => {
  it.each([
    [[], "what to do with the audit log is missing"],
    [["forget"], "the audit log has no command named forget"],
    [["export"], "--format is missing"],
    [["export", "--format", "xml"], "there is no format named xml"],
    [["export", "FILE", "--format", "csv"], "unexpected argument: FILE"],
    [["verify", "--format", "csv"], "--format and --output are for export only"],
    [["verify", "--output", "FILE"], "--format and --output are for export only"],
    [["verify", "--pipe", "NAME"], "take neither --credentials nor --pipe"],
  ])("refuses %j as bad usage", async (args, problem) => {
    const { code, stdout, stderr } = await run(new Profile(), ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(problem);
    expect(stderr).toContain("usage: dms-connect audit");
  });

  it("exports the log of a running app to standard output and to a file alike", async () => {
    const profile = await running();
    const printed = await run(profile, "export", "--format", "jsonl");
    expect(printed).toMatchObject({ code: 0, stderr: "" });
    expect(printed.stdout.trimEnd().split("\n")).toHaveLength(rowCount);
    const file = path.join(profile.folder, "log.jsonl");
    expect(await run(profile, "export", "--format", "jsonl", "--output", file)).toMatchObject({ code: 0, stderr: "" });
    expect(await readFile(file, "utf8")).toBe(printed.stdout);
  });

  it("ends quietly when whoever reads the export has enough", async () => {
    const profile = await running();
    const script = path.join(import.meta.dirname, "dms-connect.ts");
    const child = spawn(process.execPath, [script, "audit", "export", "--format", "csv"], {
      env: { PATH: process.env["PATH"], SystemRoot: process.env["SystemRoot"], ...environment(profile) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaints = "";
    child.stderr.on("data", (data: Buffer) => {
      complaints += data.toString();
    });
    await once(child.stdout, "readable");
    child.stdout.destroy();
    await once(child, "close");
    expect([child.exitCode, complaints]).toEqual([0, ""]);
  });

  // Elsewhere the computer's own credential store is always there, and a test must not leave a key in it.
  it.runIf(process.platform === "linux")(
    "proves the log of an app that does not run, and names a break",
    async () => {
      const profile = new Profile();
      profile.safeStorage.available = false;
      profile.credentialStore.problem = "unavailable";
      const passphrase = "five random words of mine";
      const opened = valueOf(await profile.tryOpen({ passphrase }));
      for (const outcome of ["ok", "not_permitted", "ok"]) {
        valueOf(await opened.vault.appendAudit({ atMs: nowMs, action: "token.get", actor: "client-1", outcome }));
      }
      opened.close();
      const passphraseFile = path.join(profile.folder, "passphrase.txt");
      await writeFile(passphraseFile, passphrase, { mode: 0o600 });
      const verify = ["verify", "--vault-passphrase-file", passphraseFile];
      const proved = await run(profile, ...verify);
      expect(proved).toMatchObject({ code: 0, stderr: "" });
      expect(proved.stdout).toMatch(/^audit log: \d+ rows, unbroken\nrow \d+: [0-9a-f]{64}\n$/);

      tamper(profile, "UPDATE audit SET entry = replace(entry, 'not_permitted', 'ok')");
      const broken = await run(profile, ...verify);
      expect(broken).toMatchObject({ code: 15, stderr: "" });
      expect(broken.stdout).toMatch(/^audit log: broken: row \d+ was changed\nWhat to do: /);
    },
    deriveKeysMs,
  );
});
