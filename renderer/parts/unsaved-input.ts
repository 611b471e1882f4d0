/**
 * Whether a person has begun something on the page that leaving it would throw away. Invariant: it counts from the first letter
 * until it is saved, given up or gone with its page.
 */
import { useLayoutEffect } from "react";
import { isPageDialogOpen } from "./open-dialog.ts";

const begun = new Set<symbol>();

/** For every form that stands on a page itself: a dialog counts as long as it is open. */
export function useUnsavedInput(isUnsaved: boolean): void {
  // Before the next event: it may be the one that asks for another page.
  useLayoutEffect(() => {
    if (!isUnsaved) return undefined;
    const form = Symbol("form");
    begun.add(form);
    return () => void begun.delete(form);
  }, [isUnsaved]);
}

/** Whether the page must stay as it is: it has an open dialog, or a form with unsaved input. */
export function isPageInUse(): boolean {
  return begun.size > 0 || isPageDialogOpen();
}
