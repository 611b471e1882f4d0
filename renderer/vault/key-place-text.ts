/** The places that may hold the vault's key, and why one did not open it, in words that an administrator of the system knows. */
import type { TFunction } from "i18next";
import type { KeyPlace } from "../../shared/views.ts";
import { plainText } from "../parts/plain-text.ts";

const problems = ["lost", "denied", "locked", "unavailable", "timed_out", "fixed_key", "failed"] as const;
/** Longest word shown for a problem this window does not know. */
const problemLimit = 60;

/** @param userAgent of the browser this window runs in: it names the operating system */
export function keyPlaceText(t: TFunction, place: KeyPlace, userAgent: string): string {
  return t(`recovery.place.${place}.${systemOf(userAgent)}`);
}

/** @param problem a word of `VaultRecoveryView`; others are shown as they came */
export function keyProblemText(t: TFunction, place: KeyPlace, problem: string): string {
  const known = problems.find((each) => each === problem);
  if (known === undefined) return t("recovery.problem.other", { problem: plainText(problem, problemLimit) });
  return t(`recovery.${place === "passphrase" ? "passphraseProblem" : "problem"}.${known}`);
}

function systemOf(userAgent: string): "windows" | "mac" | "other" {
  if (userAgent.includes("Windows")) return "windows";
  return userAgent.includes("Mac OS") ? "mac" : "other";
}
