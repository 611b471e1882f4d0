import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileDialogs, type FileDialogs } from "./file-dialogs.ts";

describe("the file dialogs", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dms-connect-dialogs-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const choosing = (path: string | undefined): FileDialogs =>
    createFileDialogs({
      dialog: {
        showOpenDialog: async () => ({ canceled: path === undefined, filePaths: path === undefined ? [] : [path] }),
        showSaveDialog: async () => ({ canceled: path === undefined, filePath: path ?? "" }),
      },
      window: () => undefined,
    });

  it("reads a file of exactly 1 MiB and refuses one byte more", async () => {
    const file = join(folder, "registration.json");
    await writeFile(file, "x".repeat(1024 * 1024));
    const read = await choosing(file).openJsonFile();
    expect(read.ok && read.value?.length).toBe(1024 * 1024);
    await writeFile(file, "x".repeat(1024 * 1024 + 1));
    expect(await choosing(file).openJsonFile()).toMatchObject({ ok: false, error: { code: "registration_file_unreadable" } });
  });

  it("says that a file cannot be opened", async () => {
    expect(await choosing(join(folder, "missing.json")).openJsonFile()).toMatchObject({
      ok: false,
      error: { code: "registration_file_unreadable", params: { problem: "it could not be opened" } },
    });
  });

  it("does nothing when the person cancels", async () => {
    expect(await choosing(undefined).openJsonFile()).toEqual({ ok: true, value: undefined });
    expect(await choosing(undefined).savePemFile("a.pem", "PEM")).toEqual({ ok: true, value: false });
  });

  it("saves the certificate where the person chose, and reports a place that cannot be written", async () => {
    const file = join(folder, "callback.pem");
    expect(await choosing(file).savePemFile("callback.pem", "PEM")).toEqual({ ok: true, value: true });
    expect(await readFile(file, "utf8")).toBe("PEM");
    expect(await choosing(join(folder, "missing/callback.pem")).savePemFile("callback.pem", "PEM")).toMatchObject({ ok: false });
  });
});
