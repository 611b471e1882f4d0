/** The notice of a connection as words. */
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import type { FailureSentences } from "../i18n/en-failures.ts";
import { failureText } from "../i18n/failure-text.ts";
import { plainText } from "../parts/plain-text.ts";
import { useTimeText } from "../parts/use-time-text.ts";
import { currentMs } from "../state/use-now.ts";
import { type ConnectionNotice, lastMoment } from "./connection-notice-text.ts";
import { useCopiesText } from "./use-copies-text.ts";

/** Longest reason put into a sentence. */
const problemLimit = 100;

export function useNoticeSentences(connection: ConnectionView): (notice: ConnectionNotice) => FailureSentences {
  const { t, i18n } = useTranslation();
  const time = useTimeText();
  const copies = useCopiesText();
  const endsAtMs = lastMoment(connection);
  const names = {
    provider: connection.providerName,
    user: connection.user,
    problem: plainText(String(connection.failure?.params["problem"] ?? ""), problemLimit),
    time: endsAtMs === undefined ? t("common.unknown") : time.brief(endsAtMs, currentMs()),
  };
  const own = ({ text, remedy }: ConnectionNotice): FailureSentences => {
    if (typeof text === "string")
      return { message: t(`connections.notice.${text}`, names), remedy: t(`connections.notice.${text}Remedy`, names) };
    const sentences = failureText(t, text, i18n.language);
    if (remedy === undefined) return sentences;
    return {
      ...sentences,
      remedy: remedy === "byItself" ? t("connections.notice.byItselfRemedy") : t(`connections.notice.signInRemedy.${remedy}`),
    };
  };
  return (notice) => {
    const { message, remedy } = own(notice);
    if (connection.state !== "Revoking") return { message, remedy };
    const end = { atMs: connection.accessTokenExpiresAtMs, isEstimate: connection.accessTokenExpiryIsEstimate === true };
    return { message, remedy: `${remedy} ${copies(end)}` };
  };
}
