import { scryptSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkPassphrase, derivePassphraseKey, newPassphraseParameters, passphraseParametersSchema } from "./passphrase-key.ts";

const quick = { ...newPassphraseParameters(), N: 2 ** 15 };

describe("a key from a passphrase", () => {
  it("is scrypt's with the stored parameters", async () => {
    const key = await derivePassphraseKey("five random words in here", quick);
    const expected = scryptSync("five random words in here", Buffer.from(quick.salt, "base64"), 32, {
      N: 2 ** 15,
      r: 8,
      p: 1,
      maxmem: 2 ** 26,
    });
    expect(key).toEqual(expected);
  });

  it("needs no more than the default parameters offer", async () => {
    const parameters = newPassphraseParameters();
    expect(passphraseParametersSchema.parse(parameters)).toEqual(parameters);
    expect(parameters).toMatchObject({ algorithm: "scrypt", N: 131_072, r: 8, p: 1 });
    expect(await derivePassphraseKey("five random words in here", parameters)).toHaveLength(32);
  });

  it("has a salt of its own each time", () => {
    expect(newPassphraseParameters().salt).not.toBe(newPassphraseParameters().salt);
  });

  it.each([
    ["composed and decomposed letters", "schl\u00fcssel f\u00fcr alle", "schlu\u0308ssel fu\u0308r alle"],
    ["an ordinary and a no-break space", "two words and more", "two\u00a0words and more"],
    ["an ordinary and an ideographic space", "two words and more", "two\u3000words and more"],
    ["ordinary and full-width letters", "abcdefghijkl", "\uff41bcdefghijkl"],
  ])("is the same for %s", async (_what, one, other) => {
    expect(one).not.toBe(other);
    expect(await derivePassphraseKey(one, quick)).toEqual(await derivePassphraseKey(other, quick));
  });

  it.each(["correct horse battery", "Correct horse battery staple", "correct horse battery staple "])(
    "is another one for %j",
    async (other) => {
      expect(await derivePassphraseKey(other, quick)).not.toEqual(await derivePassphraseKey("correct horse battery staple", quick));
    },
  );
});

describe("a new passphrase", () => {
  it.each(["correct horse battery staple", "twelve chars", "\u{1f600}".repeat(11) + "x", "пароль из слов"])("may be %s", (passphrase) => {
    expect(checkPassphrase(passphrase)).toBeUndefined();
  });

  it.each([
    ["empty", ""],
    ["eleven characters long", "eleven char"],
    ["twelve code units in six characters", "\u{1f600}\u{1f601}".repeat(3)],
    ["twelve characters only before they are composed", "u\u0308".repeat(6)],
    ["one character repeated", "aaaaaaaaaaaaaaaaaaaa"],
    ["spaces of many kinds", " \u00a0\u2003\u3000".repeat(5)],
  ])("must not be %s", (_what, passphrase) => {
    expect(checkPassphrase(passphrase)).toMatchObject({ code: "vault_passphrase_weak", params: { least: 12 } });
  });
});

describe("stored parameters", () => {
  const sound = newPassphraseParameters();

  it.each([
    ["more memory than one vault may take", { N: 2 ** 21 }],
    ["more memory by larger blocks", { N: 2 ** 20, r: 16 }],
    ["next to no work", { N: 2 ** 14 }],
    ["an N that is no power of two", { N: 2 ** 17 + 2 }],
    ["an N that is no whole number", { N: 2 ** 17 + 0.5 }],
    ["an N that is not finite", { N: Number.POSITIVE_INFINITY }],
    ["many lanes", { p: 5 }],
    ["no lane", { p: 0 }],
    ["huge blocks", { N: 2 ** 15, r: 1024 }],
    ["a short salt", { salt: Buffer.alloc(15).toString("base64") }],
    ["an endless salt", { salt: Buffer.alloc(1_000).toString("base64") }],
    ["a salt that is no base64", { salt: "not base64 at all!!!!!!!" }],
    ["another algorithm", { algorithm: "pbkdf2" }],
    ["fields nobody knows", { maxmem: 1 }],
  ])("are refused when they ask for %s", (_what, change) => {
    expect(passphraseParametersSchema.safeParse({ ...sound, ...change }).success).toBe(false);
  });

  it("may ask for more than today's", () => {
    expect(passphraseParametersSchema.safeParse({ ...sound, N: 2 ** 20 }).success).toBe(true);
  });
});
