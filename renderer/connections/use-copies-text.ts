/** Until when copies of an access token work that programs already hold: no provider can call them back (RFC 7009 section 3). */
import { useTranslation } from "react-i18next";
import { useTimeText } from "../parts/use-time-text.ts";
import { useNow } from "../state/use-now.ts";

export interface CopiesEnd {
  /** Unix milliseconds; absent: there are none. */
  readonly atMs: number | undefined;
  readonly isEstimate: boolean;
}

/** The sentence, always right without a reload. */
export function useCopiesText(): (end: CopiesEnd) => string {
  const { t } = useTranslation();
  const time = useTimeText();
  const nowMs = useNow(1000);
  return ({ atMs, isEstimate }) => {
    if (atMs === undefined) return t("revoke.copies.none");
    if (atMs <= nowMs) return t("revoke.copies.ended");
    return t(isEstimate ? "revoke.copies.untilAbout" : "revoke.copies.until", { time: time.brief(atMs, nowMs) });
  };
}
