/** How a failure becomes words: by its code in the window's language, else the English it brought along. */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Failure, FailureParams } from "../../shared/failure.ts";
import { plainText } from "../parts/plain-text.ts";
import type { FailureSentences } from "./en-failures.ts";

/** Longest value put into a sentence; some come from a provider or a file. */
const paramLimit = 200;

/** Message and remedy of `failure` in the language of `t`. Codes this window does not know keep the texts that were sent. */
export function failureText(t: TFunction, failure: Failure): FailureSentences {
  // `replace` keeps params away from i18next's own option names such as `count`.
  const replace = plainParams(failure.params);
  return {
    message: t(`failures.${failure.code}.message`, { replace, defaultValue: failure.message }),
    remedy: t(`failures.${failure.code}.remedy`, { replace, defaultValue: failure.remedy }),
  };
}

/** `failureText` with the window's current language. */
export function useFailureText(failure: Failure): FailureSentences {
  const { t } = useTranslation();
  return failureText(t, failure);
}

function plainParams(params: FailureParams): FailureParams {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, typeof value === "string" ? plainText(value, paramLimit) : value]),
  );
}
