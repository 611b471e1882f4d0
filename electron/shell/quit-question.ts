/** Asks before a renewed sign-in is lost that the disk has refused: it may end at the provider with it. */
import type { Dialog } from "electron";
import type { Failure } from "../../shared/failure.ts";

/**
 * Asks the person.
 *
 * @param why what the disk said
 * @param unsaved how many sign-ins would be lost
 * @returns whether the app may quit all the same
 */
export async function isSureToQuit(dialog: Pick<Dialog, "showMessageBox">, why: Failure, unsaved: number): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: "warning",
    title: "DMS Connect",
    message: `Sign-ins that could not be saved: ${unsaved}`,
    detail: `${why.message} If you quit now, ${howMany(unsaved)} may have to sign in again. ${why.remedy}`,
    buttons: ["Do not quit", "Quit anyway"],
    defaultId: 0,
    cancelId: 0,
  });
  return response === 1;
}

/** A user may have several sign-ins. */
function howMany(unsaved: number): string {
  return unsaved === 1 ? "1 user" : `up to ${unsaved} users`;
}
