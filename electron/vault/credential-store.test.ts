import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { credentialProblem } from "./credential-store.ts";
import { temporaryFolder } from "./testing/profile.ts";

function installed(program: string): boolean {
  return process.platform === "linux" && spawnSync("which", [program]).status === 0;
}

const secretService = installed("dbus-run-session") && installed("gnome-keyring-daemon");
if (!secretService)
  process.stderr.write("not exercised: the real Secret Service (dbus-run-session and gnome-keyring-daemon are not both here)\n");

const modulePath = JSON.stringify(join(import.meta.dirname, "credential-store.ts"));
const openingPath = JSON.stringify(join(import.meta.dirname, "key-envelopes.ts"));
const envelopePath = JSON.stringify(join(import.meta.dirname, "credential-envelope.ts"));

/** Runs `script` in a session bus of its own after the shell command `before`; gives what it printed as JSON. */
function inSession(before: string, home: string, script: string): unknown {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const shell = `${before} >/dev/null 2>&1; exec "$NODE" --input-type=module -e "$SCRIPT"`;
  const env = { PATH: process.env["PATH"], HOME: home, XDG_RUNTIME_DIR: home, NODE: process.execPath, SCRIPT: script };
  const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
  return JSON.parse(execFileSync("dbus-run-session", ["--", "sh", "-c", shell], { env, stdio, timeout: 15_000 }).toString());
}

const unlocked = "echo -n pw | gnome-keyring-daemon --unlock --components=secrets";
const locked = "gnome-keyring-daemon --start --components=secrets";

describe.skipIf(!secretService)("the credential store over a real Secret Service", () => {
  it("tells an absent key from a kept one, and keeps it for the next session", () => {
    const home = temporaryFolder();
    const use = `import { createKeyringCredentialStore } from ${modulePath};
      const store = createKeyringCredentialStore("DMS Connect test");`;
    const first = inSession(
      unlocked,
      home,
      `${use}
      const before = await store.read("key");
      const written = await store.write("key", new Uint8Array(32).fill(200));
      console.log(JSON.stringify([before, written.ok]));`,
    );
    expect(first).toEqual([{ ok: true }, true]);
    const second = inSession(
      unlocked,
      home,
      `${use}
      const kept = await store.read("key");
      console.log(JSON.stringify([kept.ok && [...kept.value]]));`,
    );
    expect(second).toEqual([Array.from({ length: 32 }, () => 200)]);
  });

  it("removes a key, and calls it a success when there is none", () => {
    const removed = inSession(
      unlocked,
      temporaryFolder(),
      `import { createKeyringCredentialStore } from ${modulePath};
      const store = createKeyringCredentialStore("DMS Connect test");
      await store.write("one", new Uint8Array(32));
      await store.write("two", new Uint8Array(32).fill(7));
      const answers = [await store.remove("one"), await store.remove("one")];
      const left = [await store.read("one"), await store.read("two")];
      console.log(JSON.stringify([answers.map(({ ok }) => ok), left.map(({ value }) => value?.[0] ?? null)]));`,
    );
    expect(removed).toEqual([
      [true, true],
      [null, 7],
    ]);
  });

  it("opens a vault key by itself in the next session, and finds it locked, not lost, while the keyring is locked", () => {
    const home = temporaryFolder();
    const script = `import { openVaultKey } from ${openingPath};
      import { createCredentialEnvelope } from ${envelopePath};
      import { createKeyringCredentialStore } from ${modulePath};
      import { existsSync } from "node:fs";
      const folder = ${JSON.stringify(home)};
      const opened = await openVaultKey({
        folder,
        vaultExists: existsSync(folder + "/vault-keys.json"),
        envelopes: [createCredentialEnvelope(createKeyringCredentialStore("DMS Connect test"), 10_000)],
        nowMs: () => 0,
      });
      if (!opened.ok) console.log(JSON.stringify(opened.error));
      else console.log(JSON.stringify([opened.value.vaultId, opened.value.candidates[0].toString("hex")]));`;
    const made = inSession(unlocked, home, script);
    expect(made).toEqual([expect.any(String), expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(inSession(unlocked, home, script)).toEqual(made);
    expect(inSession(locked, home, script)).toMatchObject({
      failure: { code: "vault_keys_unavailable" },
      places: [{ place: "credentialStore", problem: "locked" }],
    });
    expect(inSession(unlocked, home, script)).toEqual(made);
  });

  it("calls a session without any secret service unavailable", () => {
    const home = temporaryFolder();
    const script = `delete process.env.DBUS_SESSION_BUS_ADDRESS;
      const { createKeyringCredentialStore } = await import(${modulePath});
      console.log(JSON.stringify(await createKeyringCredentialStore("DMS Connect test").read("key")));`;
    expect(inSession("true", home, script)).toEqual({ ok: false, error: "unavailable" });
  });
});

describe.skipIf(process.platform !== "linux")("the credential store over a session bus that accepts connections and says nothing", () => {
  it("gives up instead of stopping the process", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "bus");
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => {
      server.close();
    });
    const script = `import { createKeyringCredentialStore } from ${modulePath};
      console.log(JSON.stringify(await createKeyringCredentialStore("DMS Connect test", 200).read("key")));`;
    const env = { PATH: process.env["PATH"], HOME: folder, DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
    const options = { env, timeout: 15_000, killSignal: "SIGKILL" as const };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], options);
    expect(JSON.parse(stdout)).toEqual({ ok: false, error: "timed_out" });
  });
});

describe("errors of the keyring library", () => {
  it.each([
    ["linux", "Platform failure: DBus error: Using X11 for dbus-daemon autolaunch was disabled", "unavailable"],
    ["linux", "Platform failure: No DBus session or Secret Service provider found", "unavailable"],
    ["linux", "Couldn't access platform storage: Secret Service: unlock prompt was dismissed", "locked"],
    ["linux", "Couldn't access platform storage: Secret Service: object locked", "locked"],
    ["linux", "Couldn't access platform storage: Secret Service: no result found", "unavailable"],
    ["linux", "Platform failure: DBus error: org.freedesktop.DBus.Error.AccessDenied", "denied"],
    ["linux", "Entry is matched by multiple credentials", "failed"],
    ["linux", "Cannot find native binding", "unavailable"],
    ["win32", "Platform failure: Windows error code 5", "denied"],
    ["win32", "Platform failure: Windows error code 50", "unavailable"],
    ["win32", "Couldn't access platform storage: Windows ERROR_NO_SUCH_LOGON_SESSION", "unavailable"],
    ["darwin", "Platform failure: The user name or passphrase you entered is not correct.", "denied"],
    ["darwin", "Platform failure: User canceled the operation.", "denied"],
    ["darwin", "Platform failure: Der eingegebene Benutzername oder das Passwort ist nicht korrekt.", "denied"],
    ["darwin", "Platform failure: User interaction is not allowed.", "locked"],
    ["darwin", "Platform failure: error code -25308", "locked"],
    ["darwin", "Couldn't access platform storage: The specified keychain could not be found.", "unavailable"],
    ["darwin", "Platform secure storage failure: User canceled the operation.", "denied"],
    ["darwin", "Entry is matched by multiple credentials", "failed"],
  ] as const)("become one word on %s: %s", (platform, message, word) => {
    expect(credentialProblem(new Error(message), platform)).toBe(word);
  });

  it("that are no errors at all become a failure", () => {
    expect(credentialProblem("Platform failure", "linux")).toBe("failed");
  });
});
