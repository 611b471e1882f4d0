import { describe, expect, it } from "vitest";
import { isNewer, TokenFamilies, tokenName } from "./token-families.ts";

const user = "joe";

function signedIn() {
  const families = new TokenFamilies(() => 60);
  const first = families.redeem(families.issueCode(user), 1, 1_000);
  if (first === undefined) throw new Error("a fresh code must work");
  return { families, first };
}

describe("the families of a rotating provider", () => {
  it("give a code's tokens once", () => {
    const families = new TokenFamilies(() => 60);
    const code = families.issueCode(user);
    expect(families.redeem(code, 1, 1_000)).toMatchObject({ number: 1, expiresAtMs: 61_000, family: { user } });
    expect(families.redeem(code, 1, 1_000)).toBeUndefined();
  });

  it("replace both tokens at each rotation", () => {
    const { families, first } = signedIn();
    const second = families.rotate(first.refreshToken, 2, 5_000);
    expect(second).toMatchObject({ number: 2, madeInLife: 2, expiresAtMs: 65_000 });
    expect(second?.accessToken).not.toBe(first.accessToken);
    expect(second?.refreshToken).not.toBe(first.refreshToken);
    expect(families.byName(tokenName(second?.accessToken ?? ""))).toBe(second);
  });

  it("end at the second use of a refresh token, for the newest token too", () => {
    const { families, first } = signedIn();
    const second = families.rotate(first.refreshToken, 1, 2_000);
    expect(families.rotate(first.refreshToken, 1, 3_000)).toBeUndefined();
    expect(families.rotate(second?.refreshToken ?? "", 1, 4_000)).toBeUndefined();
    expect(first.family.ended).toEqual({ by: "reuse", atMs: 3_000 });
  });

  it("end at a revocation, and refresh no more", () => {
    const { families, first } = signedIn();
    expect(families.revoke(first.refreshToken, 2_000)).toBe(first.family);
    expect(families.rotate(first.refreshToken, 1, 3_000)).toBeUndefined();
    expect(first.family.ended).toEqual({ by: "revocation", atMs: 2_000 });
  });

  it("do not touch other families", () => {
    const { families, first } = signedIn();
    const other = families.redeem(families.issueCode(user), 1, 2_000);
    families.revoke(first.refreshToken, 3_000);
    expect(families.rotate(other?.refreshToken ?? "", 1, 4_000)).toMatchObject({ number: 2 });
    expect(families.familiesOf(user)).toEqual([first.family, other?.family]);
  });

  it("know which tokens are newer", () => {
    const { families, first } = signedIn();
    const second = families.rotate(first.refreshToken, 1, 2_000) ?? first;
    const anew = families.redeem(families.issueCode(user), 1, 3_000) ?? first;
    expect(isNewer(second, first)).toBe(true);
    expect(isNewer(first, second)).toBe(false);
    expect(isNewer(anew, second)).toBe(true);
    expect(isNewer(second, second)).toBe(false);
  });
});
