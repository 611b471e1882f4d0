/**
 * The surface of every dialog of the window. Invariant: the focus stays in the dialog. A click beside one that does not
 * close by that would take the focus out of it, and Fluent's focus manager then hides the dialog itself from the keyboard
 * and from screen readers.
 */
import { DialogSurface as FluentDialogSurface } from "@fluentui/react-components";
import type { MouseEvent, ReactNode } from "react";
import { FocusAfterDialog } from "./focus-after-dialog.tsx";

export function DialogSurface({ children }: { readonly children: ReactNode }) {
  return (
    <FluentDialogSurface backdrop={{ onMouseDown: keepFocus }}>
      <FocusAfterDialog />
      {children}
    </FluentDialogSurface>
  );
}

function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}
