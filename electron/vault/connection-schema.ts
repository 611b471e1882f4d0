/**
 * The sealed text of a connection: all of its record except its key and generation, which are bound to it from outside.
 *
 * Invariant: text of another form gives `undefined`; a token is never half read.
 */
import { z } from "zod";
import type { ConnectionRecord, StoredState } from "../core/connection-state.ts";
import { compactFailure, storedFailureSchema } from "./stored-failure.ts";
import { parseJson } from "./stored-json.ts";

/** Rises when the form changes; a record of another version does not open. */
export const connectionRecordVersion = 1;

const grantSchema = z.strictObject({
  accessToken: z.string(),
  refreshToken: z.string().exactOptional(),
  scope: z.string().exactOptional(),
  obtainedAtMs: z.number(),
  accessTokenExpiresAtMs: z.number(),
  accessTokenExpiryIsEstimate: z.literal(true).exactOptional(),
  grantExpiresAtMs: z.number().exactOptional(),
  grantExpiryIsEstimate: z.boolean(),
});
const attemptSchema = z.strictObject({ attemptId: z.string(), startedAtMs: z.number() });

const stateSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("Active"), grant: grantSchema }),
  z.strictObject({ kind: z.literal("Refreshing"), grant: grantSchema, attempt: attemptSchema }),
  z.strictObject({ kind: z.literal("InDoubt"), grant: grantSchema, attempt: attemptSchema }),
  z.strictObject({ kind: z.literal("ReconnectRequired"), failure: storedFailureSchema }),
  z.strictObject({ kind: z.literal("Revoking"), grant: grantSchema, failure: storedFailureSchema.exactOptional() }),
]);

const bodySchema = z.strictObject({
  organisation: z.string().exactOptional(),
  connectedAtMs: z.number(),
  state: stateSchema,
});

export type ConnectionBody = Pick<ConnectionRecord, "organisation" | "connectedAtMs" | "state">;

/** The text to seal. */
export function writeConnectionBody(record: ConnectionRecord): string {
  const body = {
    ...(record.organisation === undefined ? {} : { organisation: record.organisation }),
    connectedAtMs: record.connectedAtMs,
    state: compactState(record.state),
  };
  return JSON.stringify(body);
}

/** The body in an opened text, or `undefined` when it is of no known form. */
export function parseConnectionBody(text: string): ConnectionBody | undefined {
  const parsed = bodySchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

function compactState(state: StoredState): object {
  return "failure" in state && state.failure !== undefined ? { ...state, failure: compactFailure(state.failure) } : state;
}
