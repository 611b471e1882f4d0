/**
 * Tells a person who closes the window for the first time that the app goes on. Invariant: once a profile, also if the person
 * never sees it.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Notification } from "electron";

export interface StaysNotificationParts {
  /** Electron's class. */
  readonly Notification: typeof Notification;
  readonly profileFolder: string;
  readonly onClick: () => void;
}

/** Returns the function to call each time the window is closed while the app stays. */
export function staysNotifier({ Notification: Shown, profileFolder, onClick }: StaysNotificationParts): () => void {
  // Kept: Electron removes a notification whose object is collected.
  let shown: Notification | undefined;
  return () => {
    if (!Shown.isSupported() || !isFirstTime(join(profileFolder, "told-that-it-stays"))) return;
    shown = new Shown({
      title: "DMS Connect keeps running in the background",
      body: "DMS programs can still use your connections. To open the window again, click the icon of DMS Connect or start it again. To end it, choose Quit in the icon's menu.",
    });
    shown.on("click", onClick);
    shown.show();
  };
}

/** Leaves a mark. Where none can be left, nobody is told: better than every time. */
function isFirstTime(mark: string): boolean {
  try {
    closeSync(openSync(mark, "wx", 0o600));
    return true;
  } catch {
    return false;
  }
}
