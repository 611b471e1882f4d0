import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  applyRequestedSystemKeys,
  earlierSystemKeys,
  keepLocalState,
  rememberProvenSystemKeys,
  requestEarlierSystemKeys,
} from "./local-state.ts";

const nowMs = Date.UTC(2026, 10, 22, 14, 30, 5);

function newProfile(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The key as Chromium writes it; DPAPI's bytes are anything. */
function wrapped(name: string): string {
  return Buffer.from(`DPAPI${name}`).toString("base64");
}

function localState(key: string, rest: object = {}): string {
  return JSON.stringify({ browser: { windows: 3 }, os_crypt: { audit_enabled: true, encrypted_key: wrapped(key) }, ...rest });
}

function write(profile: string, text: string): void {
  writeFileSync(join(profile, "Local State"), text);
}

function read(profile: string): unknown {
  return JSON.parse(readFileSync(join(profile, "Local State"), "utf8"));
}

/** One start on Windows: what the app does before Electron reads the file. */
function start(profile: string) {
  const applied = applyRequestedSystemKeys(profile, nowMs);
  return { applied, kept: keepLocalState(profile, nowMs) };
}

/** A start at which Chromium could not unwrap the key: it replaces it. */
function startThatLosesKey(profile: string, newKey: string) {
  const started = start(profile);
  write(profile, localState(newKey));
  return started;
}

function copies(profile: string): readonly string[] {
  return existsSync(join(profile, "system-keys")) ? readdirSync(join(profile, "system-keys")).filter((name) => name !== "record.json") : [];
}

function earlierNames(profile: string): readonly string[] {
  return earlierSystemKeys(profile).map(({ name }) => name);
}

describe("keeping Local State", () => {
  it("copies it byte by byte under a dated name, once for each key", () => {
    const profile = newProfile();
    write(profile, localState("one"));
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: true, value: { kept: "local-state-20261122-1.json" } });
    write(profile, localState("one", { browser: { windows: 4 } }));
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: true, value: { kept: undefined } });
    write(profile, localState("two"));
    expect(keepLocalState(profile, nowMs + 86_400_000)).toEqual({ ok: true, value: { kept: "local-state-20261123-2.json" } });
    expect(readFileSync(join(profile, "system-keys/local-state-20261122-1.json"), "utf8")).toBe(localState("one"));
    expect(copies(profile)).toHaveLength(2);
  });

  it.skipIf(process.platform === "win32")("is for its owner only, also in a folder that was not", () => {
    const profile = newProfile();
    mkdirSync(join(profile, "system-keys"), { mode: 0o777 });
    chmodSync(join(profile, "system-keys"), 0o777);
    write(profile, localState("one"));
    keepLocalState(profile, nowMs);
    expect(statSync(join(profile, "system-keys")).mode & 0o777).toBe(0o700);
    expect(statSync(join(profile, "system-keys/local-state-20261122-1.json")).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["no file", undefined],
    ["no key yet", "{}"],
    ["no key in its place", `{"os_crypt":{"audit_enabled":true}}`],
  ])("does nothing with %s", (_name, text) => {
    const profile = newProfile();
    if (text !== undefined) write(profile, text);
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: true, value: { kept: undefined } });
    expect(existsSync(join(profile, "system-keys"))).toBe(false);
  });

  it.each([
    ["an empty file", ""],
    ["half a file", localState("two").slice(0, 40)],
    ["zeroes", "\0".repeat(300)],
    ["a list", "[]"],
    ["a key of another kind", `{"os_crypt":{"encrypted_key":5}}`],
    ["a key that Chromium did not write", `{"os_crypt":{"encrypted_key":"${Buffer.from("other").toString("base64")}"}}`],
  ])("leaves the copies alone and names the problem: %s", (_name, text) => {
    const profile = newProfile();
    write(profile, localState("one"));
    keepLocalState(profile, nowMs);
    write(profile, text);
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: false, error: "damaged" });
    expect(copies(profile)).toEqual(["local-state-20261122-1.json"]);
    expect(earlierNames(profile)).toEqual(["local-state-20261122-1.json"]);
  });

  it("tells a file that cannot be read, and a folder that cannot be written", () => {
    const profile = newProfile();
    mkdirSync(join(profile, "Local State"));
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: false, error: "unreadable" });
    rmSync(join(profile, "Local State"), { recursive: true });
    write(profile, localState("one"));
    writeFileSync(join(profile, "system-keys"), "a file where the folder should be");
    expect(keepLocalState(profile, nowMs)).toEqual({ ok: false, error: "not_written" });
    expect(earlierNames(profile)).toEqual([]);
  });

  it("keeps eight, the newest", () => {
    const profile = newProfile();
    for (let key = 1; key <= 12; key += 1) {
      write(profile, localState(`key ${key}`));
      keepLocalState(profile, nowMs);
    }
    write(profile, localState("another"));
    const numbers = earlierNames(profile).map((name) => Number(/-(\d+)\.json$/.exec(name)?.[1]));
    expect(numbers).toEqual([12, 11, 10, 9, 8, 7, 6, 5]);
  });

  it("keeps the one that opened the vault, however many starts make a new one after it", () => {
    const profile = newProfile();
    write(profile, localState("of the vault"));
    start(profile);
    expect(rememberProvenSystemKeys(profile)).toEqual({ ok: true, value: undefined });
    for (let key = 1; key <= 20; key += 1) startThatLosesKey(profile, `key ${key}`);
    expect(copies(profile)).toHaveLength(8);
    expect(earlierNames(profile)[0]).toBe("local-state-20261122-1.json");
  });

  it("goes by the number, not by a clock that was set back", () => {
    const profile = newProfile();
    for (const [key, atMs] of [
      ["one", nowMs],
      ["two", nowMs - 86_400_000],
      ["three", nowMs],
    ] as const) {
      write(profile, localState(key));
      keepLocalState(profile, atMs);
    }
    expect(earlierNames(profile)).toEqual(["local-state-20261121-2.json", "local-state-20261122-1.json"]);
  });

  it("clears away what a killed process left, and skips a damaged copy", () => {
    const profile = newProfile();
    mkdirSync(join(profile, "system-keys"));
    writeFileSync(join(profile, "system-keys/0123.tmp"), "half");
    writeFileSync(join(profile, "system-keys/local-state-20261101-4.json"), "half");
    write(profile, localState("one"));
    keepLocalState(profile, nowMs);
    expect(copies(profile).toSorted()).toEqual(["local-state-20261101-4.json", "local-state-20261122-5.json"]);
    write(profile, localState("two"));
    expect(earlierNames(profile)).toEqual(["local-state-20261122-5.json"]);
  });
});

describe("putting an earlier key back", () => {
  /** Windows could not unwrap key one; Chromium made key two. */
  function profileWithLostKey(): string {
    const profile = newProfile();
    write(profile, localState("one"));
    start(profile);
    startThatLosesKey(profile, "two");
    return profile;
  }

  it("happens at the next start, changes nothing but the key, and sets the old file aside", () => {
    const profile = profileWithLostKey();
    write(profile, localState("two", { browser: { windows: 7 }, later: "kept" }));
    const before = readFileSync(join(profile, "Local State"), "utf8");
    expect(requestEarlierSystemKeys(profile)).toEqual({ ok: true, value: { requested: "local-state-20261122-1.json" } });
    expect(readFileSync(join(profile, "Local State"), "utf8")).toBe(before);
    expect(start(profile).applied).toEqual({ ok: true, value: { applied: "local-state-20261122-1.json" } });
    expect(read(profile)).toEqual({
      browser: { windows: 7 },
      later: "kept",
      os_crypt: { audit_enabled: true, encrypted_key: wrapped("one") },
    });
    expect(readFileSync(join(profile, "Local State.set-aside-20261122-143005"), "utf8")).toBe(before);
  });

  it("happens once, also when Chromium replaces the key again", () => {
    const profile = profileWithLostKey();
    requestEarlierSystemKeys(profile);
    startThatLosesKey(profile, "three");
    expect(start(profile).applied).toEqual({ ok: true, value: { applied: undefined } });
    expect(read(profile)).toMatchObject({ os_crypt: { encrypted_key: wrapped("three") } });
  });

  it("does nothing without a request", () => {
    const profile = profileWithLostKey();
    const before = readFileSync(join(profile, "Local State"), "utf8");
    expect(start(profile).applied).toEqual({ ok: true, value: { applied: undefined } });
    expect(readFileSync(join(profile, "Local State"), "utf8")).toBe(before);
  });

  it("goes on to the next older copy, tries each once, and then has none left", () => {
    const profile = newProfile();
    write(profile, localState("one"));
    start(profile);
    startThatLosesKey(profile, "two");
    startThatLosesKey(profile, "three");
    const tried: unknown[] = [];
    for (const next of ["four", "five"]) {
      requestEarlierSystemKeys(profile);
      tried.push(startThatLosesKey(profile, next).applied);
      // The keys Chromium made on the way are newer than the request; they are no way back.
      rmSync(join(profile, "system-keys/local-state-20261122-3.json"), { force: true });
    }
    expect(tried).toEqual(
      ["local-state-20261122-2.json", "local-state-20261122-1.json"].map((applied) => ({ ok: true, value: { applied } })),
    );
    expect(requestEarlierSystemKeys(profile)).toEqual({ ok: false, error: "none_left" });
  });

  it("tries the key first that last opened the vault, and all of them anew after the vault has opened", () => {
    const profile = newProfile();
    write(profile, localState("of the vault"));
    start(profile);
    rememberProvenSystemKeys(profile);
    startThatLosesKey(profile, "two");
    startThatLosesKey(profile, "three");
    expect(requestEarlierSystemKeys(profile)).toEqual({ ok: true, value: { requested: "local-state-20261122-1.json" } });
    start(profile);
    rememberProvenSystemKeys(profile);
    write(profile, localState("lost once more"));
    expect(earlierNames(profile)).toEqual(["local-state-20261122-1.json", "local-state-20261122-2.json"]);
  });

  it.each([
    ["missing", undefined],
    ["damaged", "{"],
  ])("takes the whole copy where Local State is %s", (_name, text) => {
    const profile = profileWithLostKey();
    requestEarlierSystemKeys(profile);
    if (text === undefined) rmSync(join(profile, "Local State"));
    else write(profile, text);
    expect(start(profile).applied).toMatchObject({ ok: true });
    expect(readFileSync(join(profile, "Local State"), "utf8")).toBe(localState("one"));
    expect(existsSync(join(profile, "Local State.set-aside-20261122-143005"))).toBe(text !== undefined);
  });

  it("never writes over a file that was set aside before", () => {
    const profile = profileWithLostKey();
    writeFileSync(join(profile, "Local State.set-aside-20261122-143005"), "earlier");
    requestEarlierSystemKeys(profile);
    start(profile);
    expect(readFileSync(join(profile, "Local State.set-aside-20261122-143005"), "utf8")).toBe("earlier");
    expect(readFileSync(join(profile, "Local State.set-aside-20261122-143005-2"), "utf8")).toBe(localState("two"));
  });

  it("changes nothing when the copy has gone or was damaged meanwhile, and does not try again", () => {
    const profile = profileWithLostKey();
    requestEarlierSystemKeys(profile);
    writeFileSync(join(profile, "system-keys/local-state-20261122-1.json"), "half");
    expect(start(profile).applied).toEqual({ ok: false, error: "damaged" });
    expect(readFileSync(join(profile, "Local State"), "utf8")).toBe(localState("two"));
    expect(start(profile).applied).toEqual({ ok: true, value: { applied: undefined } });
  });

  it("ignores a record that was damaged or names a file elsewhere", () => {
    const profile = profileWithLostKey();
    const record = join(profile, "system-keys/record.json");
    writeFileSync(record, "{");
    expect(start(profile).applied).toEqual({ ok: true, value: { applied: undefined } });
    writeFileSync(join(profile, "evil.json"), localState("evil"));
    writeFileSync(record, JSON.stringify({ version: 1, tried: [], requested: "../evil.json" }));
    expect(start(profile).applied).toEqual({ ok: false, error: "damaged" });
    expect(readFileSync(join(profile, "Local State"), "utf8")).toBe(localState("two"));
  });

  it("is not asked for where the request cannot be written", () => {
    const profile = profileWithLostKey();
    mkdirSync(join(profile, "system-keys/record.json"));
    expect(requestEarlierSystemKeys(profile)).toEqual({ ok: false, error: "not_written" });
  });
});
