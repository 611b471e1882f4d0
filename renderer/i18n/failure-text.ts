/** How a failure becomes words: by its code in the window's language, else the English it brought along. */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Failure, FailureParams } from "../../shared/failure.ts";
import { plainText } from "../parts/plain-text.ts";
import { timeText } from "../parts/use-time-text.ts";
import type { FailureSentences } from "./en-failures.ts";

/** Longest value put into a sentence; some come from a provider or a file. */
const paramLimit = 200;

/** Moments come as `Date.toISOString` writes them. */
const momentPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Message and remedy of `failure` in the language of `t`. Codes this window does not know keep the texts that were sent.
 *
 * @param language of `t`: moments are written as people read them there
 */
export function failureText(t: TFunction, failure: Failure, language = "en"): FailureSentences {
  // `replace` keeps params away from i18next's own option names such as `count`.
  const replace = readableParams(failure.params, language);
  return {
    message: t(`failures.${failure.code}.message`, { replace, defaultValue: failure.message }),
    remedy: t(`failures.${failure.code}.remedy`, { replace, defaultValue: failure.remedy }),
  };
}

/** `failureText` with the window's current language. */
export function useFailureText(failure: Failure): FailureSentences {
  const { t, i18n } = useTranslation();
  return failureText(t, failure, i18n.language);
}

function readableParams(params: FailureParams, language: string): FailureParams {
  const readable = (value: string): string =>
    momentPattern.test(value) ? timeText(language).absolute(Date.parse(value)) : plainText(value, paramLimit);
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === "string" ? readable(value) : value]));
}
