import { describe, expect, it } from "vitest";
import type { AuditRowView } from "../../shared/views.ts";
import { failureSentences } from "../i18n/en-failures.ts";
import { createI18n } from "../i18n/i18n.ts";
import { actionText, actorText, hasSubject, isGood, outcomeText } from "./audit-words.ts";

const { t } = createI18n();

function row(changes: Partial<AuditRowView>): AuditRowView {
  return { sequence: 7, atMs: 1, action: "token.get", actor: "client-1", outcome: "ok", ...changes };
}

describe("the words of the audit log", () => {
  it.each([
    ["token.get", "Request for access"],
    ["vault.export.with-sign-ins", "Export of the vault with sign-ins"],
    ["an.act.of.later", "an.act.of.later"],
    ["constructor", "constructor"],
    ["bad\u202E\n", "bad"],
  ])("say what %j is", (action, expected) => {
    expect(actionText(t, action)).toBe(expected);
  });

  it.each([
    [{ actor: "window", actorName: "Great DMS" }, "A person at this window"],
    [{ actor: "command-line" }, "Command line"],
    [{ actor: "broker" }, "DMS Connect"],
    [{ actor: "client-1", actorName: "Great DMS" }, "Great DMS"],
    [{ actor: "client-1" }, "A program without a name"],
    [{ actor: "client-1", actorName: "\u200B" }, "A program without a name"],
  ])("say who %j is", (changes, expected) => {
    expect(actorText(t, row(changes))).toBe(expected);
  });

  it.each([
    [{}, "Done"],
    [{ outcome: "not_permitted", provider: "mazda", user: "johndoe" }, "This program may not use Mazda for johndoe."],
    // What the row does not hold is left open, and a reason in brackets is left out.
    [{ outcome: "provider_unreachable", provider: "mazda" }, "Mazda cannot be reached from this computer."],
    [{ outcome: "program_rate_limited" }, "The program has sent more than … requests in a minute."],
    [{ outcome: "vault_restored" }, "The vault was restored from its backup of …"],
    [
      { outcome: "audit_broken", action: "audit.discontinuity" },
      "The audit log does not fit together from entry 7 on: it was damaged or changed.",
    ],
    [{ outcome: "later_code" }, "It did not work (later_code)."],
    [{ outcome: "toString" }, "It did not work (toString)."],
    // A program's id is no user.
    [{ outcome: "not_connected", action: "pairing", user: "client-1", provider: "mazda" }, "… is not connected to Mazda."],
    [{ outcome: "not_connected", provider: "mazda", user: "{{provider}}" }, "{{provider}} is not connected to Mazda."],
  ])("say how %j ended", (changes, expected) => {
    expect(outcomeText(t, row(changes), "Mazda")).toBe(expected);
  });

  it("say until when copies work after a Revoke, which is no failure", () => {
    const ended = row({ action: "revoke.copies_end", outcome: "2026-11-22T12:04:05.000Z" });
    expect(outcomeText(t, ended, "Webfleet")).toMatch(/^Old access works until (22 Nov 2026|Nov 22, 2026), .*:04/);
    expect([isGood(ended), isGood({ ...ended, outcome: "busy" }), isGood({ ...ended, action: "revoke" })]).toEqual([true, false, false]);
  });

  it("leave no place of a sentence unfilled, whatever the failure", () => {
    for (const outcome of Object.keys(failureSentences)) {
      const sentence = outcomeText(t, row({ outcome }), undefined);
      expect(sentence).not.toMatch(/\{\{|\}\}|\(…\)/);
      expect(sentence).toMatch(/[.…]$/);
    }
  });

  it("know whether a row is about anything", () => {
    expect([row({}), row({ provider: "mazda" }), row({ user: "u" }), row({ action: "pairing" })].map(hasSubject)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
