/** One running app a profile: two would race for the same refresh tokens, and a rotated token used twice ends the grant (RFC 9700 section 4.14). */
import type { App } from "electron";

/**
 * Takes the profile's lock. Call it before anything is opened in the profile, and quit at once if it fails.
 *
 * @param onSecondInstance called with the arguments of every later start, which has ended by then
 * @returns false if another app already runs on this profile; it has been told
 */
export function holdSingleInstance(
  app: Pick<App, "requestSingleInstanceLock" | "on">,
  onSecondInstance: (commandLine: readonly string[]) => void,
): boolean {
  if (!app.requestSingleInstanceLock()) return false;
  app.on("second-instance", (_event, commandLine) => onSecondInstance(commandLine));
  return true;
}
