import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialProblem } from "./credential-store.ts";
import { temporaryFolder } from "./testing/profile.ts";

function installed(program: string): boolean {
  return process.platform === "linux" && spawnSync("which", [program]).status === 0;
}

const secretService = installed("dbus-run-session") && installed("gnome-keyring-daemon");
if (!secretService)
  process.stderr.write("not exercised: the real Secret Service (dbus-run-session and gnome-keyring-daemon are not both here)\n");

const modulePath = JSON.stringify(join(import.meta.dirname, "credential-store.ts"));
const vaultPath = JSON.stringify(join(import.meta.dirname, "vault.ts"));

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

  it("opens a vault by itself in the next session, and finds it locked, not lost, while the keyring is locked", () => {
    const home = temporaryFolder();
    const script = `import { openVault } from ${vaultPath};
      import { createKeyringCredentialStore } from ${modulePath};
      const nothing = () => Promise.reject(new Error("no safe storage here"));
      const opened = await openVault({
        folder: ${JSON.stringify(join(home, "profile"))},
        credentialStore: createKeyringCredentialStore("DMS Connect test"),
        safeStorage: { isAsyncEncryptionAvailable: async () => false, encryptStringAsync: nothing, decryptStringAsync: nothing },
        nowMs: () => 0,
      });
      if (!opened.ok) console.log(JSON.stringify(opened.error));
      else {
        const before = await opened.value.vault.readSecret("name");
        await opened.value.vault.saveSecret("name", "value");
        console.log(JSON.stringify([before.value ?? null, opened.value.notices.map((notice) => notice.params)]));
        opened.value.close();
      }`;
    expect(inSession(unlocked, home, script)).toEqual([null, [{ missing: "safeStorage", place: "the safe storage of this computer" }]]);
    expect(inSession(unlocked, home, script)).toEqual(["value", [{ missing: "safeStorage", place: "the safe storage of this computer" }]]);
    expect(inSession(locked, home, script)).toMatchObject({ code: "vault_locked", params: { credentialStore: "locked" } });
    expect(inSession(unlocked, home, script)).toEqual(["value", [{ missing: "safeStorage", place: "the safe storage of this computer" }]]);
  });

  it("calls a session without any secret service unavailable", () => {
    const home = temporaryFolder();
    const script = `delete process.env.DBUS_SESSION_BUS_ADDRESS;
      const { createKeyringCredentialStore } = await import(${modulePath});
      console.log(JSON.stringify(await createKeyringCredentialStore("DMS Connect test").read("key")));`;
    expect(inSession("true", home, script)).toEqual({ ok: false, error: "unavailable" });
  });
});

describe("errors of the keyring library", () => {
  it.each([
    ["Platform failure: DBus error: Using X11 for dbus-daemon autolaunch was disabled", "unavailable"],
    ["Couldn't access platform storage: Secret Service: unlock prompt was dismissed", "locked"],
    ["Platform failure: access denied", "denied"],
    ["Entry is matched by multiple credentials", "failed"],
  ])("become one word: %s", (message, word) => {
    expect(credentialProblem(new Error(message))).toBe(word);
  });
});
