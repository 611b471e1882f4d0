/**
 * Every expected failure of the product, once: its stable code, the word programs get for it on the
 * pipe, and what to say to a person. The window translates by `code` and `params`; the English text
 * here is what the log, the pipe, the command line and the browser page show.
 *
 * A `params` value is never a token, code, secret or query string.
 */
import { type FailureCode, type FailureTexts, failureCatalogue, type PipeErrorCode } from "./failure-catalogue.ts";

export type { FailureCode, PipeErrorCode } from "./failure-catalogue.ts";

export type FailureParams = Readonly<Record<string, string | number>>;

export interface Failure {
  readonly code: FailureCode;
  readonly params: FailureParams;
  /** English, one sentence: what happened. */
  readonly message: string;
  /** English, one sentence: what to do next. */
  readonly remedy: string;
  /** Whether the same request may succeed later, mostly without a person doing anything. */
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
}

export interface FailureOptions {
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * Makes a failure from the catalogue.
 *
 * @param code stable code
 * @param params values for the `{{name}}` places of its texts
 */
export function failure(code: FailureCode, params: FailureParams = {}, options: FailureOptions = {}): Failure {
  const texts: FailureTexts = failureCatalogue[code];
  return {
    code,
    params,
    message: fillText(texts.message, params),
    remedy: fillText(texts.remedy, params),
    retryable: texts.retryable,
    ...(options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds }),
  };
}

/** The stable word a program gets on the pipe for this failure. */
export function pipeErrorCode(code: FailureCode): PipeErrorCode {
  return failureCatalogue[code].pipe;
}

/** Puts `params` into the `{{name}}` places of a text; a missing one shows as its name. */
export function fillText(text: string, params: FailureParams): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_match, name: string) => String(params[name] ?? name));
}
