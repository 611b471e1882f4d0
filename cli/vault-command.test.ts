import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Run, runProgram } from "../electron/pipe/testing/run-program.ts";
import { active, john, Profile, valueOf } from "../electron/vault/testing/profile.ts";

/** Making keys of a passphrase takes long on purpose, and longer while other tests run. */
const deriveKeysMs = 60_000;

function run(profile: Profile, ...args: string[]): Promise<Run> {
  // No session bus, so that the tester's own password store is never asked.
  const env = { DMS_CONNECT_PROFILE: profile.folder, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
  return runProgram("cli/dms-connect.ts", ["vault", ...args], env);
}

describe("dms-connect vault", () => {
  it.each([
    [[], "what to do with the vault is missing"],
    [["steal"], "the vault has no command named steal"],
    [["export"], "FILE is missing"],
    [["import"], "FILE is missing"],
    [["rekey", "more"], "unexpected argument: more"],
    [["import", "FILE", "--include-sign-ins"], "--include-sign-ins is for export only"],
    [["rekey", "--passphrase-file", "FILE"], "--passphrase-file is for export and import"],
    [["verify", "--pipe", "NAME"], "take neither --credentials nor --pipe"],
    [["export", "FILE", "--passphrase", "secret"], "--passphrase"],
  ])("refuses %j as bad usage", async (args, problem) => {
    const { code, stdout, stderr } = await run(new Profile(), ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(problem);
    expect(stderr).toContain("usage: dms-connect vault");
  });

  it("finds no vault in an empty profile, and makes none", async () => {
    const profile = new Profile();
    const { code, stderr } = await run(profile, "verify");
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no vault in ${profile.folder}`);
    expect(existsSync(profile.vaultPath)).toBe(false);
  });

  // Elsewhere the computer's own credential store is always there, and a test must not leave a key in it.
  it.runIf(process.platform === "linux")(
    "opens a vault by its passphrase, in a process of its own",
    async () => {
      const profile = new Profile();
      profile.safeStorage.available = false;
      profile.credentialStore.problem = "unavailable";
      const passphrase = "five random words of mine";
      const opened = valueOf(await profile.tryOpen({ passphrase }));
      valueOf(await opened.vault.commitConnection(active(john, 1)));
      const passphraseFile = path.join(profile.folder, "passphrase.txt");
      await writeFile(passphraseFile, passphrase, { mode: 0o600 });

      expect(await run(profile, "verify")).toMatchObject({ code: 14 });
      opened.close();
      const locked = await run(profile, "verify");
      expect(locked.code).toBe(10);
      expect(locked.stderr).toContain("--vault-passphrase-file FILE");
      expect(await run(profile, "rekey", "--vault-passphrase-file", passphraseFile)).toMatchObject({ code: 0, stderr: "" });
      const verified = await run(profile, "verify", "--vault-passphrase-file", passphraseFile);
      expect(verified).toMatchObject({ code: 0, stderr: "" });
      expect(verified.stdout).toContain("ok    connections: 1 open");
    },
    deriveKeysMs,
  );
});
