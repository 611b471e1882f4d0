/** What one entry of the failure catalogue says. */

/** The error words of pipe protocol version 1 (docs/pipe-protocol.md). */
export type PipeErrorCode =
  | "not_paired"
  | "not_permitted"
  | "not_connected"
  | "reconnect_required"
  | "provider_unavailable"
  | "invalid_request"
  | "rate_limited"
  | "vault_locked"
  | "shutting_down"
  | "internal_error";

export interface FailureTexts {
  readonly pipe: PipeErrorCode;
  readonly retryable: boolean;
  readonly message: string;
  readonly remedy: string;
}

/** Writes one entry. */
export function texts(pipe: PipeErrorCode, retryable: boolean, message: string, remedy: string): FailureTexts {
  return { pipe, retryable, message, remedy };
}
