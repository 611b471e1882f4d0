import { describe, expect, it } from "vitest";
import { newPassphraseProblems, passphraseLeast } from "./new-passphrase.ts";

const long = "five random words";

describe("a new passphrase", () => {
  it("can be used when it is long enough and typed twice alike", () => {
    expect(newPassphraseProblems({ passphrase: long, repeated: long })).toBeUndefined();
    const least = "x".repeat(passphraseLeast);
    expect(newPassphraseProblems({ passphrase: least, repeated: least })).toBeUndefined();
  });

  it("is refused when it is missing or one character too short", () => {
    expect(newPassphraseProblems({ passphrase: "", repeated: "" })).toEqual({ passphrase: "missing" });
    const short = "x".repeat(passphraseLeast - 1);
    expect(newPassphraseProblems({ passphrase: short, repeated: short })).toEqual({ passphrase: "short" });
  });

  it("counts characters as people do", () => {
    const elevenSigns = "🔑".repeat(passphraseLeast - 1);
    expect(newPassphraseProblems({ passphrase: elevenSigns, repeated: elevenSigns })).toEqual({ passphrase: "short" });
  });

  it("is refused when the second one is missing or differs, even by a space", () => {
    expect(newPassphraseProblems({ passphrase: long, repeated: "" })).toEqual({ repeated: "missing" });
    expect(newPassphraseProblems({ passphrase: long, repeated: `${long} ` })).toEqual({ repeated: "different" });
  });
});
