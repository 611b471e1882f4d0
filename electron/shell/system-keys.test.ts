import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSystemKeys, keepSystemKeys } from "./system-keys.ts";

describe("the system's key file in a new profile", () => {
  it("has no earlier copies: nothing is restarted for them, and the words for the log say so", () => {
    const folder = mkdtempSync(join(tmpdir(), "dms-connect-system-keys-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    let restarts = 0;
    const keys = createSystemKeys(folder, () => (restarts += 1));
    expect(keepSystemKeys(folder)).toMatchObject({ systemKeysApplied: "none" });
    expect(keys.available()).toBe(false);
    expect(keys.use()).toMatchObject({ ok: false, error: { code: "vault_locked" } });
    expect(restarts).toBe(0);
  });
});
