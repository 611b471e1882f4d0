/** Times as people read them, in the window's language. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export interface TimeText {
  /** e.g. `in 43 minutes`. */
  readonly relative: (atMs: number, nowMs: number) => string;
  /** e.g. `22 Nov 2026, 14:05`. */
  readonly absolute: (atMs: number) => string;
  /** e.g. `14:05` for a time of the same day as `nowMs`, else as `absolute`. */
  readonly brief: (atMs: number, nowMs: number) => string;
  /** e.g. `22 Nov 2026, 14:05:09`. */
  readonly exact: (atMs: number) => string;
}

export function useTimeText(): TimeText {
  const { i18n } = useTranslation();
  return useMemo(() => timeText(i18n.language), [i18n.language]);
}

/** @param language of the window's texts; the reader's own region decides how a date is written, where it speaks that language. */
export function timeText(language: string, preferred: readonly string[] = navigator.languages): TimeText {
  const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  // Dealers are in Europe: without a hint, day before month and 24 hours.
  const dateLocale = preferred.find((locale) => locale.startsWith(`${language}-`)) ?? (language === "en" ? "en-GB" : language);
  const absoluteFormat = new Intl.DateTimeFormat(dateLocale, { dateStyle: "medium", timeStyle: "short" });
  const dayFormat = new Intl.DateTimeFormat(dateLocale, { dateStyle: "medium" });
  const clockFormat = new Intl.DateTimeFormat(dateLocale, { timeStyle: "short" });
  const exactFormat = new Intl.DateTimeFormat(dateLocale, { dateStyle: "medium", timeStyle: "medium" });
  return {
    relative: (atMs, nowMs) => relative(relativeFormat, atMs - nowMs),
    absolute: (atMs) => absoluteFormat.format(atMs),
    brief: (atMs, nowMs) => (dayFormat.format(atMs) === dayFormat.format(nowMs) ? clockFormat : absoluteFormat).format(atMs),
    exact: (atMs) => exactFormat.format(atMs),
  };
}

/** Minutes and whole seconds, e.g. `1:05`; never negative. */
export function countdownText(leftMs: number): string {
  const seconds = Math.max(0, Math.floor(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function relative(format: Intl.RelativeTimeFormat, differenceMs: number): string {
  const size = Math.abs(differenceMs);
  if (size < 90 * minuteMs) return format.format(Math.round(differenceMs / minuteMs), "minute");
  if (size < 36 * hourMs) return format.format(Math.round(differenceMs / hourMs), "hour");
  return format.format(Math.round(differenceMs / dayMs), "day");
}
