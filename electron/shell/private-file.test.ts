import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writePrivateText } from "./private-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dms-connect-private-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a private file", () => {
  it("replaces an older one and is its owner's alone", async () => {
    const file = join(folder, "export.json");
    await writeFile(file, "a longer, older text", { mode: 0o644 });
    expect(await writePrivateText(file, "new")).toEqual({ ok: true, value: undefined });
    expect(await readFile(file, "utf8")).toBe("new");
    const mode = (await stat(file)).mode & 0o077;
    expect(process.platform === "win32" || mode === 0).toBe(true);
    expect(await readdir(folder)).toEqual(["export.json"]);
  });

  it.skipIf(process.platform === "win32")("takes the place of a link and leaves what it led to", async () => {
    const [link, target] = [join(folder, "link"), join(folder, "target")];
    await writeFile(target, "kept");
    await symlink(target, link);
    await writePrivateText(link, "new");
    expect([await readFile(link, "utf8"), await readFile(target, "utf8")]).toEqual(["new", "kept"]);
  });

  it("says that it cannot be written, and leaves nothing", async () => {
    await mkdir(join(folder, "taken"));
    expect(await writePrivateText(join(folder, "missing/export.json"), "x")).toMatchObject({
      ok: false,
      error: { code: "file_not_written", params: { problem: "no such folder" } },
    });
    expect(await writePrivateText(join(folder, "taken"), "x")).toMatchObject({ ok: false, error: { code: "file_not_written" } });
    expect(await readdir(folder)).toEqual(["taken"]);
  });
});
