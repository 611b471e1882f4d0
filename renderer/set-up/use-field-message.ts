/** The words put at a field that cannot be saved. */
import { useTranslation } from "react-i18next";
import { assertNever } from "../../shared/result.ts";
import { plainText } from "../parts/plain-text.ts";
import type { DraftField, DraftProblem, DraftProblems } from "./registration-draft.ts";

/** Longest foreign text put at a field. */
const textLimit = 160;

/** Props for Fluent's `Field`: a validation message, or nothing. */
export function useFieldMessage(problems: DraftProblems): (field: DraftField) => { readonly validationMessage?: string } {
  const { t } = useTranslation();
  const words = (problem: DraftProblem): string => {
    switch (problem.kind) {
      case "clientIdMissing":
      case "redirectUrisMissing":
      case "addressInvalid":
        return t(`form.problem.${problem.kind}`);
      case "redirectUriInvalid":
        return t("form.problem.redirectUriInvalid", { uri: plainText(problem.uri, textLimit) });
      case "fromMain":
        return t("form.problem.fromMain", { problem: plainText(problem.problem, textLimit) });
      default:
        return assertNever(problem);
    }
  };
  return (field) => {
    const problem = problems[field];
    return problem === undefined ? {} : { validationMessage: words(problem) };
  };
}
