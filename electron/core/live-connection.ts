/** A connection as it is held in memory: its record, and what is true in this run only. Written by `connections.ts`. */
import type { Failure } from "../../shared/failure.ts";
import type { ConnectionKey, ConnectionRecord } from "./connection-state.ts";

/** What is true of a connection in this run only. */
export type Overlay =
  | { readonly kind: "Connecting" }
  | {
      readonly kind: "Retrying";
      readonly failure: Failure;
      readonly failures: number;
      readonly failedAtMs: number;
      readonly nextTryAtMs: number;
    }
  /** How the last Connect ended, when it did not succeed. */
  | { readonly kind: "ConnectFailed"; readonly failure: Failure };

export interface LiveConnection {
  readonly key: ConnectionKey;
  record: ConnectionRecord | undefined;
  overlay: Overlay | undefined;
  /** Set while a revocation has been asked for: the token is not served from here on. */
  ending: boolean;
  /** A token the provider's API has refused: never served again. */
  rejectedTokenId: string | undefined;
  /** When a program last asked for its token, Unix milliseconds; undefined: not in this run. */
  lastAskedAtMs: number | undefined;
  /** Set while `record` could not be written. */
  unsaved: { readonly failure: Failure } | undefined;
}

/** The generation a decision about this connection is made on; 0 before its first commit. */
export function generationOf(live: LiveConnection): number {
  return live.record?.generation ?? 0;
}
