import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publishBrokerFile, removeBrokerFile } from "./broker-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "dms-broker-file-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("broker.json", () => {
  it("names the pipe, the protocol and the process, for the user alone", async () => {
    expect(await publishBrokerFile(folder, "/run/x.sock")).toEqual({ ok: true, value: undefined });
    const file = path.join(folder, "broker.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ name: "/run/x.sock", protocol: 1, processId: process.pid });
    // Windows has no such mode: the profile folder's own permissions protect the file there.
    const expectedMode = process.platform === "win32" ? (await stat(file)).mode & 0o777 : 0o600;
    expect((await stat(file)).mode & 0o777).toBe(expectedMode);
  });

  it("replaces an older one and leaves no other file behind", async () => {
    await publishBrokerFile(folder, "old");
    await publishBrokerFile(folder, "new");
    expect(await readdir(folder)).toEqual(["broker.json"]);
    expect(await readFile(path.join(folder, "broker.json"), "utf8")).toContain("new");
  });

  it("goes away when the broker stops, but only its own", async () => {
    await publishBrokerFile(folder, "mine");
    await removeBrokerFile(folder);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(path.join(folder, "broker.json"), JSON.stringify({ name: "theirs", protocol: 1, processId: process.pid + 1 }));
    await removeBrokerFile(folder);
    expect(await readdir(folder)).toEqual(["broker.json"]);
  });

  it("fails clearly where it cannot be written", async () => {
    expect(await publishBrokerFile(path.join(folder, "missing"), "x")).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
  });
});
