/** What the words of the audit log mean to a person. Invariant: a word this window does not know is shown as it is. */
import type { TFunction } from "i18next";
import type { FailureCode } from "../../shared/failure.ts";
import type { AuditRowView } from "../../shared/views.ts";
import { auditTexts } from "../i18n/en-audit.ts";
import { failureSentences } from "../i18n/en-failures.ts";
import { plainText } from "../parts/plain-text.ts";
import { timeText } from "../parts/use-time-text.ts";

/** Longest text shown that a program chose. */
export const nameLimit = 80;

type ActionKey = keyof typeof auditTexts.action;

/** What happened, e.g. `Asked for access` for `token.get`. */
export function actionText(t: TFunction, action: string): string {
  const key = action.replaceAll(/[.-]/g, "_");
  return isActionKey(key) ? t(`audit.action.${key}`) : plainText(action, nameLimit);
}

function isActionKey(key: string): key is ActionKey {
  return Object.hasOwn(auditTexts.action, key);
}

/** Who did it, as a name. */
export function actorText(t: TFunction, { actor, actorName }: AuditRowView): string {
  if (actor === "window") return t("audit.window");
  if (actor === "command-line") return t("audit.commandLine");
  if (actor === "broker") return t("audit.broker");
  return (actorName === undefined ? "" : plainText(actorName, nameLimit)) || t("audit.unknownProgram");
}

/** Whether the row is about a program; its `user` is that program's id then. */
export function isAboutProgram({ action }: AuditRowView): boolean {
  return action === "pairing" || action.startsWith("program.");
}

/** Whether it is about any connection or program. */
export function hasSubject(row: AuditRowView): boolean {
  // What a stranger said to be stands under who did it.
  if (row.actor === "unknown") return false;
  return row.user !== undefined || (row.provider !== undefined && !isAboutProgram(row));
}

function tellsOfABreak({ action }: AuditRowView): boolean {
  return action === "audit.discontinuity" || action === "audit.unreadable";
}

/** Whether nothing went wrong. */
export function isGood(row: AuditRowView): boolean {
  return row.outcome === "ok" || endOfCopies(row) !== undefined;
}

/** The one row whose outcome is a time (docs/audit.md): Unix milliseconds. */
function endOfCopies({ action, outcome }: AuditRowView): number | undefined {
  const atMs = action === "revoke.copies_end" ? Date.parse(outcome) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}

/**
 * How it ended, as the failure's sentence. A row keeps the failure's code only: what else the sentence would name, and is not
 * in the row, is left open.
 *
 * @param providerName of the row's provider, as people know it
 * @param language of `t`: moments are written as people read them there
 */
export function outcomeText(t: TFunction, row: AuditRowView, providerName: string | undefined, language = "en"): string {
  const { outcome, user, environment, sequence } = row;
  if (outcome === "ok") return t("audit.done");
  const copiesEndAtMs = endOfCopies(row);
  if (copiesEndAtMs !== undefined) return t("audit.copiesUntil", { time: timeText(language).absolute(copiesEndAtMs) });
  // It stands for many refusals, whose sentences name what each was about.
  if (row.action === "refusals.more") return t("audit.refused");
  if (!isFailureCode(outcome)) return t("audit.otherOutcome", { outcome: plainText(outcome, nameLimit) });
  const known: Readonly<Record<string, string | number | undefined>> = {
    sequence: tellsOfABreak(row) ? sequence : undefined,
    provider: providerName,
    user: isAboutProgram(row) || user === undefined ? undefined : plainText(user, nameLimit),
    environment: environment === undefined ? undefined : t(`environment.${environment}`),
  };
  const english = failureSentences[outcome].message;
  const places = [...english.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ""]) => name);
  const replace = Object.fromEntries(places.map((name) => [name, known[name] ?? leftOpen]));
  return t(`failures.${outcome}.message`, { replace, defaultValue: english })
    .replaceAll(` (${leftOpen})`, "")
    .replaceAll(`${leftOpen}.`, leftOpen);
}

const leftOpen = "…";

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(failureSentences, code);
}
