import { describe, expect, it } from "vitest";
import { createI18n } from "../i18n/i18n.ts";
import { keyPlaceText, keyProblemText } from "./key-place-text.ts";

const { t } = createI18n();
const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36";
const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36";
const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";

describe("a place of the vault's key", () => {
  it.each([
    [windows, "Windows safe storage", "Credential store (Windows Credential Manager)"],
    [mac, "macOS safe storage", "Credential store (Keychain)"],
    [linux, "Desktop safe storage", "Credential store (Secret Service)"],
  ])("has the name it has on that system: %s", (userAgent, safeStorage, credentialStore) => {
    expect(keyPlaceText(t, "safeStorage", userAgent)).toBe(safeStorage);
    expect(keyPlaceText(t, "credentialStore", userAgent)).toBe(credentialStore);
    expect(keyPlaceText(t, "passphrase", userAgent)).toBe("Passphrase");
  });

  it.each(["lost", "denied", "locked", "unavailable", "timed_out", "fixed_key", "failed"])(
    "says in a sentence what %s means",
    (problem) => {
      for (const place of ["safeStorage", "credentialStore", "passphrase"] as const) {
        expect(keyProblemText(t, place, problem)).toMatch(/^[A-Z][^_]+\.$/);
      }
    },
  );

  it("shows a problem that is not known here as it came", () => {
    expect(keyProblemText(t, "safeStorage", "on_fire")).toBe("It did not open the vault (on_fire).");
  });
});
