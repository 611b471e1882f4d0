/**
 * Put inside every dialog. A dialog whose owner goes away while it is open (its row was forgotten, the first row replaced
 * the empty page, the prompt was answered) is taken out without being closed. Fluent's focus manager then neither gives
 * the focus back nor shows the page to screen readers again: it leaves `aria-hidden` on everything behind the dialog.
 */
import { useEffect } from "react";
import { isDialogOpen } from "./open-dialog.ts";

/** A dialog that was closed properly has put things right by itself by then. */
const settleMs = 50;

export function FocusAfterDialog(): null {
  useEffect(() => () => void setTimeout(showPage, settleMs), []);
  return null;
}

function showPage(): void {
  if (isDialogOpen()) return;
  document.querySelector("#root")?.removeAttribute("aria-hidden");
  if (document.activeElement === document.body) document.querySelector<HTMLElement>("main")?.focus();
}
