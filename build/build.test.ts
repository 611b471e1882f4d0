import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleCommandLine, bundleForNode, bundlePreload, repositoryRoot } from "./bundles.ts";
import { findChromium, type Machine } from "./chromium.ts";
import { isDistFresh } from "./freshness.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dms-connect-build-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the bundles for Node", () => {
  it("hold everything but Electron, Node and the keyring, and run", async () => {
    const entry = join(folder, "entry.ts");
    await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"), "junction");
    await mkdir(join(folder, "providers"));
    await writeFile(join(folder, "providers/mazda.ts"), "export const id: string = 'mazda';");
    await writeFile(
      entry,
      `import { z } from "zod";
       import { AsyncEntry } from "@napi-rs/keyring";
       import { readFileSync } from "node:fs";
       const modules = import.meta.glob("./providers/*.ts", { eager: true, import: "id" });
       console.log(z.string().parse(Object.values(modules)[0]), readFileSync(import.meta.filename).length > 0, typeof import.meta.dirname);
       export const keep = AsyncEntry;`,
    );
    const file = join(folder, "dist/main.mjs");
    await bundleForNode("main", entry, file);
    const imports = [...(await readFile(file, "utf8")).matchAll(/^import .* from "([^"]+)"/gm)].map((match) => match[1]);
    expect(new Set(imports)).toEqual(new Set(["@napi-rs/keyring", "node:fs"]));
    expect(spawnSync(process.execPath, [file], { encoding: "utf8" }).stdout).toBe("mazda true string\n");
  });

  it("load SQLite for the vault's commands only, so that the others run on an older Node.js", async () => {
    const file = join(folder, "dist/dms-connect.mjs");
    await bundleCommandLine(join(repositoryRoot, "cli/dms-connect.ts"), file);
    const loaded = await staticImports(file);
    expect(loaded).toContain("node:net");
    expect(loaded).not.toContain("node:sqlite");
    const env = { ...process.env, DMS_CONNECT_PROFILE: join(folder, "profile") };
    const { status, stderr } = spawnSync(process.execPath, [file, "vault", "verify"], { encoding: "utf8", env });
    expect(stderr).toContain("there is no vault in");
    expect(status).toBe(1);
  });

  it("make the preload one CommonJS file that requires nothing but Electron", async () => {
    const file = join(folder, "preload.cjs");
    await bundlePreload(join(repositoryRoot, "electron/preload.ts"), file);
    const code = await readFile(file, "utf8");
    expect([...code.matchAll(/\brequire\(([^)]*)\)/g)].map((match) => match[1])).toEqual(['"electron"']);
    expect(code).not.toMatch(/^\s*(import|export)\s/m);
  });

  it("fail when the entry is missing", async () => {
    await expect(bundleForNode("main", join(folder, "missing.ts"), join(folder, "main.mjs"))).rejects.toThrow("missing.ts");
  });
});

/** What Node loads before the first line of `file` runs: modules of its own, and files beside it with all of theirs. */
async function staticImports(file: string): Promise<readonly string[]> {
  const code = await readFile(file, "utf8");
  const names = [...code.matchAll(/^import (?:.* from )?"([^"]+)"/gm)].map((match) => match[1] ?? "");
  const deeper = names.filter((name) => name.startsWith("./")).map((name) => staticImports(join(file, "..", name)));
  return [...names, ...(await Promise.all(deeper)).flat()];
}

describe("the freshness of dist", () => {
  const outputs = ["dist/main.mjs"];
  const write = async (path: string, atSeconds: number): Promise<void> => {
    const file = join(folder, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, "");
    await utimes(file, atSeconds, atSeconds);
    await utimes(join(file, ".."), atSeconds, atSeconds);
  };

  it("is lost when a source changes, not when a test does", async () => {
    await write("electron/main.ts", 1000);
    await write("dist/main.mjs", 2000);
    expect(isDistFresh(folder, outputs)).toBe(true);
    await writeFile(join(folder, "electron/main.test.ts"), "");
    await utimes(join(folder, "electron"), 1000, 1000);
    expect(isDistFresh(folder, outputs)).toBe(true);
    await write("electron/main.ts", 3000);
    expect(isDistFresh(folder, outputs)).toBe(false);
  });

  it.each(["clients/client.ts", "package.json", "package-lock.json", "build/bundles.ts"])("is lost when %s changes", async (source) => {
    await write(source, 1000);
    await write("dist/main.mjs", 2000);
    expect(isDistFresh(folder, outputs)).toBe(true);
    await write(source, 3000);
    expect(isDistFresh(folder, outputs)).toBe(false);
  });

  it("is lost when a bundle is missing", async () => {
    await write("electron/main.ts", 1000);
    expect(isDistFresh(folder, outputs)).toBe(false);
  });
});

describe("the search for a browser", () => {
  const machine = (platform: NodeJS.Platform, ...files: string[]): Machine => ({
    platform,
    exists: (path) => files.includes(path),
    playwrightChromium: () => "/playwright/chrome",
    environment: { LOCALAPPDATA: "C:\\Users\\jane\\AppData\\Local", PROGRAMFILES: "C:\\Program Files" },
  });

  it.each([
    ["Debian's Chromium", machine("linux", "/usr/bin/chromium", "/playwright/chrome"), { executablePath: "/usr/bin/chromium" }],
    ["Playwright's own", machine("darwin", "/playwright/chrome", "/usr/bin/chromium"), { executablePath: "/playwright/chrome" }],
    ["Chrome on Linux", machine("linux", "/opt/google/chrome/chrome"), { channel: "chrome" }],
    ["Edge on macOS", machine("darwin", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"), { channel: "msedge" }],
    ["Edge on Windows", machine("win32", "C:\\Program Files\\Microsoft\\Edge\\Application\\msedge.exe"), { channel: "msedge" }],
    ["nothing", machine("linux"), undefined],
  ])("finds %s", (_what, where, choice) => {
    expect(findChromium(where)).toEqual(choice);
  });
});
