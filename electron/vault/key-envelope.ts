/** What the places for the vault key have in common. */
import type { KeyPlace } from "../../shared/views.ts";
import type { SealedKey } from "./key-file.ts";

export type EnvelopeName = KeyPlace;

/** A place the operating system offers; the passphrase is a person's. */
export type SystemPlace = Exclude<KeyPlace, "passphrase">;

/** Why a place gave no answer. All of these may pass; none of them means that a key is gone. */
export type PlaceProblem = "denied" | "locked" | "unavailable" | "timed_out" | "fixed_key" | "failed";

/** Outcomes named by what may be done with the stored envelope. */
export type EnvelopeOutcome =
  /** `stale`: it opened, but should be sealed again. */
  | { readonly kind: "opened"; readonly vaultKey: Buffer; readonly stale: boolean }
  /** The place works and cannot open what is stored (or nothing is stored): it may be sealed again. */
  | { readonly kind: "lost" }
  /** The place does not answer now: what is stored stays as it is. */
  | { readonly kind: "unavailable"; readonly problem: PlaceProblem };

/** One key of the key file, and which vault it belongs to. */
export interface StoredKey {
  readonly vaultId: string;
  readonly sealed: SealedKey;
}

export interface KeyEnvelope {
  readonly name: SystemPlace;
  /** Opens the envelope in `stored`; without one it only finds out whether the place works. The caller wipes the key. */
  readonly open: (stored: StoredKey | undefined) => Promise<EnvelopeOutcome>;
  /** Seals the key for `vaultId`: base64 for the key file, or why the place refuses. `keyId` names what the place itself keeps for it. */
  readonly seal: (vaultId: string, keyId: string, vaultKey: Uint8Array) => Promise<Sealing>;
  /** Removes what the place itself keeps for `keyId`. False when it could not: try again later. */
  readonly forget: (keyId: string) => Promise<boolean>;
}

export type Sealing = { readonly kind: "sealed"; readonly text: string } | { readonly kind: "refused"; readonly problem: PlaceProblem };
