/**
 * Says why no key was opened: one failure for the person in front of the screen, and one word for each place.
 *
 * Invariant: only a place that holds an envelope decides the failure; what a place without one says never helps anybody to
 * open this vault.
 */
import { type Failure, type FailureParams, failure } from "../../shared/failure.ts";
import type { KeyPlace } from "../../shared/views.ts";
import type { EnvelopeOutcome, SystemPlace } from "./key-envelope.ts";

/** English, for the middle of a sentence. */
const placeWords: Readonly<Record<SystemPlace, string>> = {
  safeStorage: "the safe storage of this computer",
  credentialStore: "the credential store of this computer",
};

/** Why the vault stays locked, and what a person can do about it. */
export interface LockedKey {
  readonly failure: Failure;
  readonly places: readonly { readonly place: KeyPlace; readonly problem: string }[];
  readonly canUsePassphrase: boolean;
  /** There is no vault yet and no safe place for its key. */
  readonly canChoosePassphrase: boolean;
}

/** What one place said about one key of a key file. */
export interface PlaceReading {
  readonly place: SystemPlace;
  readonly outcome: EnvelopeOutcome;
  /** Whether the key file holds an envelope of this place. */
  readonly stored: boolean;
}

export interface KeysNotOpened {
  readonly readings: readonly PlaceReading[];
  /** State of the key file, for the log and the support bundle. */
  readonly keyFile: string;
  readonly hasPassphrase: boolean;
  readonly passphrase: "none" | "wrong" | "failed";
}

/** Why a vault that is there was not opened. */
export function lockedKey(state: KeysNotOpened): LockedKey {
  const passphrase = state.hasPassphrase ? [{ place: "passphrase", problem: passphraseProblem(state) } as const] : [];
  return {
    failure: lockFailure(state),
    places: [...problemsOf(state.readings), ...passphrase],
    canUsePassphrase: state.hasPassphrase,
    canChoosePassphrase: false,
  };
}

function passphraseProblem({ passphrase }: KeysNotOpened): string {
  return passphrase === "failed" ? "failed" : "locked";
}

function lockFailure(state: KeysNotOpened): Failure {
  if (state.hasPassphrase && state.passphrase === "wrong") return failure("vault_passphrase_wrong");
  const denied = placeThat(state.readings, (problem) => problem === "denied");
  if (denied !== undefined) return failure("vault_access_denied", { place: placeWords[denied] });
  if (state.hasPassphrase && state.passphrase === "none") return failure("vault_passphrase_needed");
  // Chromium's fixed key does not go away by waiting, but the password store that it stands in for may come back.
  const silent = placeThat(state.readings, () => true);
  if (silent !== undefined) return failure("vault_keys_unavailable", { place: placeWords[silent] });
  return failure("vault_locked", { keyFile: state.keyFile, ...problemParams(state.readings) });
}

function placeThat(readings: readonly PlaceReading[], fits: (problem: string) => boolean): SystemPlace | undefined {
  return readings.find(({ outcome, stored }) => stored && outcome.kind === "unavailable" && fits(outcome.problem))?.place;
}

/** A new profile for whose key there is no safe place. */
export function unprotectedKey(readings: readonly PlaceReading[]): LockedKey {
  const denied = readings.find(({ outcome }) => outcome.kind === "unavailable" && outcome.problem === "denied")?.place;
  return {
    failure:
      denied === undefined
        ? failure("vault_protection_missing", problemParams(readings))
        : failure("vault_access_denied", { place: placeWords[denied] }),
    places: problemsOf(readings),
    canUsePassphrase: false,
    canChoosePassphrase: true,
  };
}

/** A failure that has nothing to do with a place. */
export function plainLock(reason: Failure): LockedKey {
  return { failure: reason, places: [], canUsePassphrase: false, canChoosePassphrase: false };
}

function problemsOf(readings: readonly PlaceReading[]): LockedKey["places"] {
  return [...new Map(readings.map((reading) => [reading.place, { place: reading.place, problem: problemOf(reading) }])).values()];
}

function problemParams(readings: readonly PlaceReading[]): FailureParams {
  return Object.fromEntries(problemsOf(readings).map(({ place, problem }) => [place, problem]));
}

function problemOf({ outcome }: PlaceReading): string {
  return outcome.kind === "unavailable" ? outcome.problem : outcome.kind;
}
