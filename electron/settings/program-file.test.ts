import { describe, expect, it } from "vitest";
import { valueOf } from "../core/testing/world.ts";
import { parseProgramFile, programOf } from "./program-file.ts";

const clientKey = Buffer.alloc(32, 5).toString("base64url");
const entry = { clientId: "dealer-dms", clientKey, name: "Dealer DMS", users: "all", providers: ["mazda"] };

function file(...programs: unknown[]): string {
  return JSON.stringify({ version: 1, programs });
}

function problemOf(text: string): string {
  const parsed = parseProgramFile(text);
  return parsed.ok ? "ok" : String(parsed.error.params["problem"]);
}

describe("a program file", () => {
  it("names programs with their keys and what they may use", () => {
    const full = { ...entry, publisher: "Vendor", until: "2027-12-31", requestsPerMinute: 600 };
    const [first, second] = valueOf(parseProgramFile(`\uFEFF${file(full, { ...entry, clientId: "other" })}`));
    expect(first && programOf(first, "imported", 7)).toEqual({
      clientId: "dealer-dms",
      clientKey,
      name: "Dealer DMS",
      publisher: "Vendor",
      access: { users: "all", providers: ["mazda"], untilMs: new Date(2028, 0, 1).getTime(), requestsPerMinute: 600 },
      origin: "imported",
      pairedAtMs: 7,
    });
    expect(second && programOf(second, "policy", 7)).toMatchObject({ clientId: "other", access: { users: "all" }, origin: "policy" });
  });

  it.each([
    ["no JSON", "{", "it is not JSON"],
    ["another version", JSON.stringify({ version: 2, programs: [entry] }), "version"],
    ["no program", file(), "programs"],
    ["an unknown field", file({ ...entry, user: "jdoe" }), "programs.0"],
    ["a client id that the protocol does not know", file({ ...entry, clientId: "a b" }), "programs.0.clientId"],
    ["a key that is too short", file({ ...entry, clientKey: "c2VjcmV0" }), "programs.0.clientKey"],
    ["a key with bits left over", file({ ...entry, clientKey: `${"A".repeat(42)}B` }), "programs.0.clientKey"],
    ["an empty list of users", file({ ...entry, users: [] }), "programs.0.users"],
    ["a word for users that means nothing", file({ ...entry, users: "everybody" }), 'programs.0.users: must be "all" or a list'],
    ["a hidden character in the name", file({ ...entry, name: "Dealer\u202eSMD" }), "programs.0.name"],
    ["a date that does not exist", file({ ...entry, until: "2027-02-30" }), "programs.0.until"],
    ["the same client id twice", file(entry, entry), "a clientId occurs twice"],
  ])("is refused with its place, never its values: %s", (_what, text, place) => {
    expect(problemOf(text)).toContain(place);
    expect(problemOf(text)).not.toContain(clientKey);
    expect(problemOf(text)).not.toContain("c2VjcmV0");
  });
});
