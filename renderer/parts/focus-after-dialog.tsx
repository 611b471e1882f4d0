/**
 * Put inside every dialog. A dialog whose owner goes away while it is open (its row was forgotten, the first row replaced
 * the empty page, the prompt was answered) is taken out without being closed. Fluent's focus manager then neither gives
 * the focus back nor shows the page to screen readers again: it leaves `aria-hidden` on everything behind the dialog.
 */
import { useEffect } from "react";
import { isDialogOpen } from "./open-dialog.ts";

/**
 * A dialog that was closed properly has put things right by itself by the first of these. The row that has got the focus back may
 * go away later, when what the dialog asked for is done: nothing tells of that.
 */
const lookAfterMs = [50, 300, 1_000, 3_000];

export function FocusAfterDialog(): null {
  useEffect(
    () => () => {
      for (const ms of lookAfterMs) setTimeout(showPage, ms);
    },
    [],
  );
  return null;
}

function showPage(): void {
  if (isDialogOpen()) return;
  document.querySelector("#root")?.removeAttribute("aria-hidden");
  if (document.activeElement === document.body) document.querySelector<HTMLElement>("main")?.focus();
}
