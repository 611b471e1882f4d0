/**
 * Runs a command in a session of its own with an unlocked, throw-away Secret Service, so that the app finds both places
 * for its vault's key. Only on Linux, where `dbus-run-session` and `gnome-keyring-daemon` are installed; the keyring of
 * the person at the computer is never touched.
 */
import { join } from "node:path";

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Unlocks (and so makes) a keyring with a password nobody needs to know, then becomes the command. */
const script = 'echo -n throw-away | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@"';

/** @param folder throw-away folder for the keyring's file */
export function withSecretService(command: CommandLine, folder: string): CommandLine {
  const home = { XDG_DATA_HOME: join(folder, "keyring-data"), XDG_CACHE_HOME: join(folder, "keyring-cache") };
  return {
    program: "dbus-run-session",
    args: ["--", "sh", "-c", script, "sh", command.program, ...command.args],
    environment: { ...command.environment, ...home },
  };
}
