/**
 * Where the window is: where a person goes, or where a notification, a link or a program has it go. Invariant: nobody but the
 * person leaves a page on which something was begun; any web page can open a link to this window.
 */
import { useCallback, useLayoutEffect, useState } from "react";
import type { WindowTarget } from "../shared/views.ts";
import type { ConnectionMark } from "./connections/connection-row.ts";
import { isDialogOpen } from "./parts/open-dialog.ts";
import { isPageInUse } from "./parts/unsaved-input.ts";
import { useWindowTarget } from "./state/use-window-target.ts";
import type { PageName } from "./window-frame.tsx";

export interface Place {
  readonly page: PageName;
  /** The row of the connections' page that was asked for from outside. */
  readonly mark: ConnectionMark | undefined;
  /** What was asked for from outside while the page could not be left. */
  readonly asked: WindowTarget | undefined;
  readonly goTo: (page: PageName) => void;
  readonly dropMark: () => void;
  readonly showAsked: () => void;
  readonly dropAsked: () => void;
}

export function usePlace(): Place {
  const [page, setPage] = useState<PageName>("connections");
  const [mark, setMark] = useState<ConnectionMark>();
  const [target, setTarget] = useState<WindowTarget>();
  const [asked, setAsked] = useState<WindowTarget>();
  const show = useCallback((next: WindowTarget) => {
    setPage(next.page);
    setMark(next.connectionId === undefined ? undefined : { connectionId: next.connectionId });
    setTarget(next);
    setAsked(undefined);
  }, []);
  const ask = useCallback((next: WindowTarget) => (isPageInUse() ? setAsked(next) : show(next)), [show]);
  useWindowTarget(ask);
  // Before the effect of a marked row, which takes the focus from here.
  useLayoutEffect(() => {
    if (target !== undefined && !isDialogOpen()) document.querySelector<HTMLElement>("main h1")?.focus();
  }, [target]);
  const dropMark = useCallback(() => setMark(undefined), []);
  const dropAsked = useCallback(() => setAsked(undefined), []);
  const goTo = useCallback((next: PageName) => {
    setPage(next);
    setMark(undefined);
    setAsked((waiting) => (waiting?.page === next ? undefined : waiting));
  }, []);
  return { page, mark, asked, goTo, dropMark, showAsked: () => asked && show(asked), dropAsked };
}
