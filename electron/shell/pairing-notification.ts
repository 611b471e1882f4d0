/**
 * Tells the person at the desktop that a program asks to be paired, in case the window is behind others. Invariant: it only
 * tells; the decision is made in the window, where the whole request can be read.
 */
import type { Notification } from "electron";
import type { PairingView } from "../../shared/views.ts";
import { plainWords } from "./notification-text.ts";

export interface PairingNotificationParts {
  /** Electron's class. */
  readonly Notification: typeof Notification;
  readonly onClick: () => void;
}

/** Longest path shown: notifications cut what is longer anywhere. */
const pathLimit = 80;

/** Returns the function that shows one notification a request; the one before goes. */
export function pairingNotifier({ Notification: Shown, onClick }: PairingNotificationParts): (pairing: PairingView) => void {
  // Kept: Electron removes a notification whose object is collected.
  let shown: Notification | undefined;
  return (pairing) => {
    if (!Shown.isSupported()) return;
    shown?.close();
    shown = new Shown({ title: "A program wants to use your connections", body: notificationBody(pairing) });
    shown.on("click", onClick);
    shown.show();
  };
}

/** Name, file and code. */
function notificationBody({ name, programPath, code }: PairingView): string {
  const lines = [
    `${plainWords(name)} asks. Compare the number ${code.slice(0, 3)} ${code.slice(3)} with the one that the program shows.`,
    ...(programPath === undefined ? [] : [`File: ${endOf(plainWords(programPath))}`]),
    "Click here to approve or deny it in DMS Connect.",
  ];
  return lines.join("\n");
}

/** The end of a path says more than its beginning. */
function endOf(path: string): string {
  return path.length <= pathLimit ? path : `…${path.slice(-pathLimit)}`;
}
