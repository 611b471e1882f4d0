/** What the two places for the vault key have in common. */
import type { KeyFile } from "./key-file.ts";

export type EnvelopeName = "safeStorage" | "credentialStore";

/** Outcomes named by what may be done with the stored envelope. */
export type EnvelopeOutcome =
  /** `stale`: it opened, but should be sealed again. */
  | { readonly kind: "opened"; readonly vaultKey: Buffer; readonly stale: boolean }
  /** The place works and cannot open what is stored (or nothing is stored): it may be sealed again. */
  | { readonly kind: "lost" }
  /** The place does not answer now: what is stored stays as it is. */
  | { readonly kind: "unavailable"; readonly problem: string };

export interface KeyEnvelope {
  readonly name: EnvelopeName;
  /** Opens the envelope in `file`; without a file it only finds out whether the place works. */
  readonly open: (file: KeyFile | undefined) => Promise<EnvelopeOutcome>;
  /** Seals the key: base64 for the key file, or `undefined` when the place refuses. */
  readonly seal: (vaultId: string, vaultKey: Uint8Array) => Promise<string | undefined>;
}
