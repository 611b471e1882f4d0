/** Whether a dialog is open anywhere in the window: it then holds the focus. */
export function isDialogOpen(): boolean {
  return document.querySelector("[role=dialog], [role=alertdialog]") !== null;
}
