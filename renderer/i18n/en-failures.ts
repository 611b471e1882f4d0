/**
 * English texts of all failures, taken from the catalogue. A text differs here only where the
 * catalogue speaks to somebody who is not in front of this window.
 */
import { type FailureCode, failureCatalogue } from "../../shared/failure-catalogue.ts";

export interface FailureSentences {
  readonly message: string;
  readonly remedy: string;
}

const inThisWindow: Partial<Record<FailureCode, Partial<FailureSentences>>> = {
  // The catalogue says "open DMS Connect and follow the steps shown there": here are the steps.
  vault_locked: {
    remedy:
      "Close DMS Connect, sign out of this computer, sign in again as usual and start DMS Connect. If the vault stays locked, call your administrator. Nothing was deleted.",
  },
};

export const failureSentences = Object.fromEntries(
  Object.entries(failureCatalogue).map(([code, { message, remedy }]) => [
    code,
    // The keys of the catalogue are its codes.
    { message, remedy, ...inThisWindow[code as FailureCode] },
  ]),
  // Object.fromEntries loses the key type; every key came from the catalogue.
) as Record<FailureCode, FailureSentences>;
