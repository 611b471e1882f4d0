/**
 * What a caller was told. Invariant: an answer is good only if it is a success, or a failure with a code of the catalogue,
 * a message and a remedy, without a place that nobody filled.
 */
import { failureCatalogue } from "../../shared/failure-catalogue.ts";
import type { Result } from "../../shared/result.ts";

/** A failure as the window gets it, or as a program gets it on the pipe (then `detail` is the catalogue's code). */
export interface ToldFailure {
  readonly code: string;
  readonly detail?: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Answer {
  /** The call that was answered. */
  readonly call: string;
  readonly failure: ToldFailure | undefined;
}

/** What a call was answered with. */
export function answerTo(call: string, result: Result<unknown, ToldFailure>): Answer {
  return { call, failure: result.ok ? undefined : result.error };
}

/** The catalogue's code of a failed answer, or `ok`. */
export function codeOf({ failure }: Answer): string {
  return failure === undefined ? "ok" : (failure.detail ?? failure.code);
}

/** What is wrong with an answer, if anything. */
export function whatIsWrongWith(answer: Answer): string | undefined {
  const { call, failure } = answer;
  if (failure === undefined) return undefined;
  const code = codeOf(answer);
  if (!Object.hasOwn(failureCatalogue, code)) return `${call}: the code ${code} is not in the catalogue`;
  // The pipe answers so when something was thrown; only the settings use it for a disk that refuses.
  if (code === "internal_error" && call !== "settings.save") return `${call}: an exception instead of an answer`;
  const unfilled = [failure.message, failure.remedy].some((text) => text.trim() === "" || text.includes("{{"));
  return unfilled ? `${call}: ${code} without message or remedy` : undefined;
}
