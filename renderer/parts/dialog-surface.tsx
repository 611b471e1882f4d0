/**
 * The surface of every dialog of the window. Invariant: the focus stays in the dialog. A click beside one that does not
 * close by that would take the focus out of it, and Fluent's focus manager then hides the dialog itself from the keyboard
 * and from screen readers.
 */
import { DialogSurface as FluentDialogSurface } from "@fluentui/react-components";
import type { MouseEvent, ReactNode } from "react";
import { FocusAfterDialog } from "./focus-after-dialog.tsx";

interface DialogSurfaceProps {
  /** It belongs to no page: the page below may change. */
  readonly isOverPages?: boolean;
  readonly children: ReactNode;
}

export function DialogSurface({ isOverPages = false, children }: DialogSurfaceProps) {
  return (
    <FluentDialogSurface backdrop={{ onMouseDown: keepFocus }} data-over-pages={isOverPages ? "" : undefined}>
      <FocusAfterDialog />
      {children}
    </FluentDialogSurface>
  );
}

function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}
