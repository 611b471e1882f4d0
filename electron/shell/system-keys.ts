/** Windows: the key file of Electron's `safeStorage`, around the life of the app. What is done with the file itself: `local-state.ts`. */
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import {
  applyRequestedSystemKeys,
  earlierSystemKeys,
  keepLocalState,
  rememberProvenSystemKeys,
  requestEarlierSystemKeys,
} from "./local-state.ts";

export interface SystemKeys {
  readonly available: () => boolean;
  /** Asks for earlier keys at the next start, and restarts the app once the answer has reached the window. */
  readonly use: () => Result<undefined>;
  /** `safeStorage` has opened the vault. */
  readonly proven: () => void;
}

/**
 * Electron reads the file once the main module has run: what it may overwrite is copied before.
 *
 * @returns what became of it, as words for the log
 */
export function keepSystemKeys(profileFolder: string): Readonly<Record<string, string>> {
  const applied = applyRequestedSystemKeys(profileFolder, Date.now());
  const kept = keepLocalState(profileFolder, Date.now());
  return {
    systemKeysApplied: applied.ok ? (applied.value.applied ?? "none") : applied.error,
    systemKeysKept: kept.ok ? (kept.value.kept ?? "none") : kept.error,
  };
}

/** Earlier copies of the file, for a vault that does not open. */
export function createSystemKeys(profileFolder: string, restart: () => void): SystemKeys {
  return {
    available: () => earlierSystemKeys(profileFolder).length > 0,
    use: () => {
      if (!requestEarlierSystemKeys(profileFolder).ok) return err(failure("vault_locked"));
      setImmediate(restart);
      return ok();
    },
    proven: () => void rememberProvenSystemKeys(profileFolder),
  };
}
