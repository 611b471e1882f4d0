import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { policyFiles, readPolicy } from "./policy.ts";

const clientKey = Buffer.alloc(32, 5).toString("base64url");
const programs = [{ clientId: "dealer-dms", clientKey, name: "Dealer DMS", users: "all", providers: "all" }];
const onUnix = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;

function policyWith(content: unknown, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "policy.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  chmodSync(file, mode);
  return file;
}

async function problemOf(file: string): Promise<string> {
  const policy = await readPolicy([file], 7);
  expect([policy.pairing, policy.programs]).toEqual(["forbidden", []]);
  expect(policy.notices.map(({ code }) => code)).toEqual(["policy_unreadable"]);
  return String(policy.notices[0]?.params["problem"]);
}

describe("the policy of a computer", () => {
  it("allows everything when there is none", async () => {
    expect(await readPolicy(["/nowhere/at-all/policy.json"], 7)).toEqual({ pairing: "allowed", programs: [], notices: [] });
    expect(await readPolicy([], 7)).toEqual({ pairing: "allowed", programs: [], notices: [] });
  });

  it("forbids pairing and names programs", async () => {
    const policy = await readPolicy([policyWith({ version: 1, pairing: "forbidden", programs })], 7);
    expect(policy).toMatchObject({
      pairing: "forbidden",
      notices: [],
      programs: [{ clientId: "dealer-dms", origin: "policy", pairedAtMs: 7 }],
    });
  });

  it("may rule whether the app starts at login, either way", async () => {
    for (const startAtLogin of [true, false]) {
      expect(await readPolicy([policyWith({ version: 1, startAtLogin })], 7)).toMatchObject({
        startAtLogin,
        pairing: "allowed",
        notices: [],
      });
    }
    expect(await readPolicy([policyWith({ version: 1 })], 7)).not.toHaveProperty("startAtLogin");
  });

  it("lies where only administrators write; a file to try out never replaces it", async () => {
    const environment = { ProgramData: "D:\\Data", DMS_CONNECT_POLICY: "/tmp/mine.json" };
    expect(policyFiles("win32", environment)).toEqual(["D:\\Data\\dms-connect\\policy.json", "/tmp/mine.json"]);
    expect(policyFiles("linux", {})).toEqual(["/etc/dms-connect/policy.json"]);
    const ruled = policyWith({ version: 1, pairing: "forbidden" });
    const mine = policyWith({ version: 1, pairing: "allowed" });
    expect((await readPolicy([ruled, mine], 7)).pairing).toBe("forbidden");
    expect((await readPolicy(["/nowhere/policy.json", ruled], 7)).pairing).toBe("forbidden");
  });
});

describe("a policy that cannot be used forbids what it might have forbidden", () => {
  it.each([
    ["no JSON", "{", "it is not JSON"],
    ["a misspelt field", { version: 1, paring: "forbidden" }, "the file: unknown fields: 1"],
    ["an unknown value", { version: 1, pairing: "no" }, "pairing"],
    ["a word for a yes", { version: 1, startAtLogin: "yes" }, "startAtLogin"],
    ["a program with a wrong key", { version: 1, programs: [{ ...programs[0], clientKey: "short" }] }, "programs.0.clientKey"],
  ])("%s", async (_what, content, problem) => {
    expect(await problemOf(policyWith(content))).toContain(problem);
  });

  it("a file of absurd size", async () => {
    const file = policyWith("");
    truncateSync(file, 5 * 1024 * 1024);
    expect(await problemOf(file)).toBe("it is larger than 4 MiB");
  });

  it.skipIf(!onUnix)("a link that leads nowhere (not exercised on Windows)", async () => {
    const link = policyWith("");
    rmSync(link);
    symlinkSync("/nowhere/at-all/policy.json", link);
    expect(await problemOf(link)).toBe("the file that it links to is not there");
  });

  it("a folder", async () => {
    const folder = policyWith("");
    rmSync(folder);
    mkdirSync(folder);
    expect(await problemOf(folder)).not.toBe("");
  });

  it.skipIf(!onUnix)("one that others could have written (not exercised on Windows)", async () => {
    for (const mode of [0o620, 0o602]) expect(await problemOf(policyWith({ version: 1 }, mode))).toBe("others may write it");
  });

  it.skipIf(!onUnix)("one whose keys everybody may read; without keys that is fine (not exercised on Windows)", async () => {
    expect(await problemOf(policyWith({ version: 1, programs }, 0o644))).toBe("it holds keys, and every user of this computer may read it");
    expect((await readPolicy([policyWith({ version: 1, programs }, 0o640)], 7)).notices).toEqual([]);
    expect((await readPolicy([policyWith({ version: 1 }, 0o644)], 7)).notices).toEqual([]);
  });

  it.skipIf(!isRoot)("one that belongs to another user (only root can make such a file)", async () => {
    const file = policyWith({ version: 1 });
    chownSync(file, 65_534, 65_534);
    expect(await problemOf(file)).toBe("it belongs to another user");
  });
});
