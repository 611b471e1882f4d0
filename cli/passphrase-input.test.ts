import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UsageError } from "./command-line.ts";
import { createTerminalPrompt, readNewPassphrase, readPassphrase } from "./passphrase-input.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "dms-connect-passphrase-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const request = { option: "--passphrase-file", prompt: "Passphrase: " };
const nobody = async () => undefined;

async function fileWith(text: string): Promise<string> {
  const file = path.join(folder, "passphrase.txt");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

describe("a passphrase from a file", () => {
  it.each([
    ["the whole line", "five random words", "five random words"],
    ["the first of several lines", "first\nsecond\n", "first"],
    ["what an editor on Windows wrote", "\uFEFFfirst\r\nsecond\r\n", "first"],
    ["spaces at both ends", "  kept  \n", "  kept  "],
    ["exactly 1024 characters of any width", "語".repeat(1024), "語".repeat(1024)],
  ])("is %s", async (_what, text, passphrase) => {
    expect(await readPassphrase({ ...request, file: await fileWith(text) }, nobody)).toBe(passphrase);
  });

  it.each([
    ["an empty file", ""],
    ["an empty first line", "\nsecond"],
    ["a line that is too long", "x".repeat(1025)],
  ])("is not taken from %s", async (_what, text) => {
    await expect(readPassphrase({ ...request, file: await fileWith(text) }, nobody)).rejects.toThrow(UsageError);
  });

  it("is not taken from a file that cannot be read", async () => {
    for (const file of [path.join(folder, "missing"), folder]) {
      await expect(readPassphrase({ ...request, file }, nobody)).rejects.toThrow("cannot be read");
    }
  });

  it.skipIf(process.platform === "win32")("is taken with a warning when others can read it", async () => {
    const warned = vi.spyOn(console, "error").mockReturnValue();
    const file = await fileWith("five random words");
    await readPassphrase({ ...request, file }, nobody);
    expect(warned).not.toHaveBeenCalled();
    await chmod(file, 0o644);
    await readPassphrase({ ...request, file }, nobody);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("can be read by other users"));
    expect(warned).not.toHaveBeenCalledWith(expect.stringContaining("random"));
  });
});

describe("a passphrase from a person", () => {
  it("is asked for once, and twice when it is new", async () => {
    const ask = vi.fn(async () => "five random words");
    expect(await readPassphrase({ ...request, file: undefined }, ask)).toBe("five random words");
    expect(await readNewPassphrase({ ...request, file: undefined }, ask)).toBe("five random words");
    expect(ask.mock.calls).toEqual([["Passphrase: "], ["Passphrase: "], ["The same again: "]]);
  });

  it("is not asked for again when a file gave it", async () => {
    const ask = vi.fn(nobody);
    expect(await readNewPassphrase({ ...request, file: await fileWith("five random words") }, ask)).toBe("five random words");
    expect(ask).not.toHaveBeenCalled();
  });

  it("must be the same twice, and must be given", async () => {
    const typed = ["one", "another"];
    await expect(readNewPassphrase({ ...request, file: undefined }, async () => typed.shift())).rejects.toThrow("differ");
    await expect(readPassphrase({ ...request, file: undefined }, nobody)).rejects.toThrow("--passphrase-file FILE");
  });
});

describe("the terminal", () => {
  /** A keyboard: what a test writes is typed. */
  function startTerminal({ isTTY = true } = {}) {
    const keyboard = Object.assign(new PassThrough(), { isTTY, setRawMode: () => keyboard });
    let shown = "";
    const screen = new PassThrough();
    screen.on("data", (data: Buffer) => {
      shown += data.toString();
    });
    // Of a terminal's input, as much as readline uses.
    return { keyboard, shown: () => shown, ask: createTerminalPrompt(keyboard as unknown as ReadStream, screen) };
  }

  it("shows the prompt and nothing of what is typed", async () => {
    const { keyboard, shown, ask } = startTerminal();
    const asked = ask("Passphrase: ");
    keyboard.write("five rx\u007Fandom words\r");
    expect(await asked).toBe("five random words");
    expect(shown()).toBe("Passphrase: \n");
  });

  it("can be asked twice", async () => {
    const { keyboard, ask } = startTerminal();
    const first = ask("First: ");
    keyboard.write("one\r");
    await first;
    const second = ask("Second: ");
    keyboard.write("two\r");
    expect([await first, await second]).toEqual(["one", "two"]);
  });

  it.each([
    ["Ctrl+C", "abc\u0003"],
    ["Ctrl+D", "\u0004"],
  ])("gives nothing after %s", async (_key, typed) => {
    const { keyboard, ask } = startTerminal();
    const asked = ask("Passphrase: ");
    keyboard.write(typed);
    expect(await asked).toBeUndefined();
  });

  it("is not asked where there is none", async () => {
    const { shown, ask } = startTerminal({ isTTY: false });
    expect(await ask("Passphrase: ")).toBeUndefined();
    expect(shown()).toBe("");
  });
});
