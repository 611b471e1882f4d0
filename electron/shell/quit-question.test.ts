import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { isSureToQuit } from "./quit-question.ts";

describe("what would be lost", () => {
  it.each([
    [1, "If you quit now, 1 user may have to sign in again."],
    [3, "If you quit now, up to 3 users may have to sign in again."],
  ])("is counted, because nobody is named: %i", async (unsaved, words) => {
    const details: string[] = [];
    const showMessageBox = async (options: unknown) => {
      details.push((options as Electron.MessageBoxOptions).detail ?? ""); // there is no parent window
      return { response: 0, checkboxChecked: false };
    };
    await isSureToQuit({ showMessageBox }, failure("vault_write_failed", { problem: "no space" }), unsaved);
    expect(details).toEqual([expect.stringContaining(words)]);
  });
});
