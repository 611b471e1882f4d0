/** Notices that a person has put away. Invariant: one whose cause has gone and come again is a new one. */
import { useState } from "react";
import type { Failure } from "../../shared/failure.ts";
import type { StatusView } from "../../shared/views.ts";
import type { Loaded } from "../state/follow-live.ts";
import { noticeKey } from "./notice-key.ts";

interface DismissedNotices {
  readonly isDismissed: (notice: Failure) => boolean;
  readonly dismiss: (notice: Failure) => void;
}

export function useDismissedNotices(status: Loaded<StatusView>): DismissedNotices {
  const [dismissed, setDismissed] = useState<readonly string[]>([]);
  if (status.kind === "ready") {
    const present = new Set(status.value.notices.map(noticeKey));
    const still = dismissed.filter((key) => present.has(key));
    if (still.length < dismissed.length) setDismissed(still);
  }
  return {
    isDismissed: (notice) => dismissed.includes(noticeKey(notice)),
    dismiss: (notice) => setDismissed([...dismissed, noticeKey(notice)]),
  };
}
