import { describe, expect, it } from "vitest";
import { pathParts, pathText } from "./path-text.ts";

describe("the path of a program's file", () => {
  it("stays as it is while it is short", () => {
    const path = String.raw`C:\Program Files\Great DMS\dms.exe`;
    expect(pathText(path)).toEqual({ whole: path, short: path });
  });

  it("is cut in the middle: where it begins and which file it is stay", () => {
    const path = `/home/johndoe/.local/share/${"folder/".repeat(20)}great-dms`;
    const { whole, short } = pathText(path);
    expect(whole).toBe(path);
    expect(short).toHaveLength(56);
    expect(short).toMatch(/^\/home\/johndoe\/\.loc….*\/folder\/great-dms$/);
  });

  it("keeps the name of the file however long the path is", () => {
    const { whole } = pathText(`/${"folder/".repeat(5000)}evil`);
    expect(Array.from(whole)).toHaveLength(1024);
    expect(whole).toMatch(/\/evil$/);
  });

  it("shows that there are characters which cannot be seen", () => {
    expect(pathText("/opt/Great\u200B DMS/\u202Esmd\n\u00A0").short).toBe("/opt/Great\uFFFD DMS/\uFFFDsmd\uFFFD\uFFFD");
  });

  it("falls apart at its separators, of which none is lost", () => {
    for (const path of [String.raw`\\server\share\x.exe`, "/opt//dms", String.raw`C:\a/b`, ""]) expect(pathParts(path).join("")).toBe(path);
    expect(pathParts("/opt/dms")).toEqual(["/", "opt/", "dms"]);
  });
});
