/**
 * What an export holds. Invariant: a connection carries tokens only where the person asked for them, and never those of
 * one that is being ended.
 */
import type { RegistrationView } from "../../shared/views.ts";
import type { ConnectionKey, StoredState } from "./connection-state.ts";

export interface TransferContents {
  readonly exportedAtMs: number;
  readonly registrations: readonly TransferredRegistration[];
  readonly connections: readonly TransferredConnection[];
}

export interface TransferredRegistration {
  readonly registration: RegistrationView;
  readonly clientSecret: string;
}

export interface TransferredConnection {
  readonly key: ConnectionKey;
  readonly organisation?: string;
  readonly connectedAtMs: number;
  /** Absent: the person signs in anew on the other computer. */
  readonly signIn?: TransferredSignIn;
}

export type TransferredSignIn = Extract<StoredState, { readonly kind: "Active" | "InDoubt" }>;
