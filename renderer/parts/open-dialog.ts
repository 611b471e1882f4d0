/** Whether a dialog is open anywhere in the window: it then holds the focus. */
export function isDialogOpen(): boolean {
  return document.querySelector("[role=dialog], [role=alertdialog]") !== null;
}

/** Whether a dialog is open that would go away with its page. */
export function isPageDialogOpen(): boolean {
  return document.querySelector("[role=dialog]:not([data-over-pages]), [role=alertdialog]:not([data-over-pages])") !== null;
}
