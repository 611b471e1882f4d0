import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
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

  it("reads an export of exactly 64 MiB and refuses one byte more, naming it an export", async () => {
    const file = join(folder, "export.json");
    await writeFile(file, "");
    await truncate(file, 64 * 1024 * 1024);
    const read = await choosing(file).openTransferFile();
    expect(read.ok && read.value?.length).toBe(64 * 1024 * 1024);
    await truncate(file, 64 * 1024 * 1024 + 1);
    for (const unusable of [file, join(folder, "missing.json")]) {
      expect(await choosing(unusable).openTransferFile()).toMatchObject({ ok: false, error: { code: "vault_transfer_unreadable" } });
    }
    await rm(file);
  });

  it("has an export made only after the person chose a place", async () => {
    const made: string[] = [];
    const make = async () => ok(String(made.push("made")));
    expect(await choosing(undefined).openTransferFile()).toEqual({ ok: true, value: undefined });
    expect(await choosing(undefined).saveTransferFile("export.json", make)).toEqual({ ok: true, value: false });
    expect(made).toEqual([]);
    const file = join(folder, "saved.json");
    expect(await choosing(file).saveTransferFile("export.json", make)).toEqual({ ok: true, value: true });
    expect([made, await readFile(file, "utf8")]).toEqual([["made"], "1"]);
  });

  it("writes nothing when the export cannot be made, and says when it cannot be written", async () => {
    const refused = err(failure("vault_locked"));
    expect(await choosing(join(folder, "none.json")).saveTransferFile("export.json", async () => refused)).toEqual(refused);
    expect(await readdir(folder)).not.toContain("none.json");
    expect(await choosing(join(folder, "missing/none.json")).saveTransferFile("export.json", async () => ok("x"))).toMatchObject({
      ok: false,
      error: { code: "file_not_written" },
    });
  });

  it("writes a file of many parts whole or not at all", async () => {
    async function* parts(...given: readonly Result<string>[]) {
      yield* given;
    }
    const asked: string[] = [];
    const dialogs = (path: string | undefined) =>
      createFileDialogs({
        dialog: {
          showOpenDialog: async () => ({ canceled: true, filePaths: [] }),
          // Electron gives the window first where there is one.
          showSaveDialog: async (options: unknown) => {
            asked.push(JSON.stringify(options));
            return { canceled: path === undefined, filePath: path ?? "" };
          },
        },
        window: () => undefined,
      });
    const file = join(folder, "log.csv");
    expect(await dialogs(undefined).saveParts("log.csv", () => parts(ok("x")))).toEqual({ ok: true, value: false });
    expect(await dialogs(file).saveParts("log.csv", () => parts(ok("one "), ok("two")))).toEqual({ ok: true, value: true });
    expect(await readFile(file, "utf8")).toBe("one two");
    expect(process.platform === "win32" || ((await stat(file)).mode & 0o777) === 0o600).toBe(true);
    expect(asked.at(-1)).toBe('{"defaultPath":"log.csv","filters":[{"name":"CSV","extensions":["csv"]}]}');

    const refused = err(failure("vault_locked"));
    expect(await dialogs(file).saveParts("log.csv", () => parts(ok("three"), refused))).toEqual(refused);
    expect(await readFile(file, "utf8")).toBe("one two");
    expect(await dialogs(join(folder, "missing/log.csv")).saveParts("log.csv", () => parts(ok("x")))).toMatchObject({
      ok: false,
      error: { code: "file_not_written" },
    });
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
