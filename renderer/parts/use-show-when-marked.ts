/** Brings a marked row onto the screen and to the reader of a screen reader: once for each mark. */
import { type RefObject, useEffect, useRef } from "react";
import { isDialogOpen } from "./open-dialog.ts";

/** @param mark a new object for each time the row is to be shown; `undefined` while it is not marked */
export function useShowWhenMarked<E extends HTMLElement>(mark: object | undefined): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    if (mark === undefined) return;
    element.current?.scrollIntoView({ block: "center" });
    // The focus stays in an open dialog.
    if (!isDialogOpen()) element.current?.focus({ preventScroll: true });
  }, [mark]);
  return element;
}
