/**
 * Ways in which a token endpoint can misbehave. They are data, so that a provider in its own process can be told too.
 * Invariant: an override never changes what the provider has stored; only `processed` says whether the request was carried out.
 */
import { z } from "zod";

export const tokenResponseOverrideSchema = z.discriminatedUnion("kind", [
  /** Answers something else. With `processed` the request is carried out first, as behind a failing gateway. */
  z.strictObject({
    kind: z.literal("replace"),
    status: z.int().min(200).max(599).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    processed: z.boolean().optional(),
  }),
  /** Carries the request out and changes fields or headers of the genuine JSON answer. */
  z.strictObject({
    kind: z.literal("amend"),
    omit: z.array(z.string()).optional(),
    set: z.record(z.string(), z.unknown()).optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Cuts the connection: `after-processing` means the tokens are rotated and the answer is lost. */
  z.strictObject({ kind: z.literal("drop"), when: z.enum(["before-reading", "after-reading", "after-processing"]) }),
  /** Answers nothing until the client gives up or `TokenEndpointGate.cutHanging` cuts the connection. */
  z.strictObject({ kind: z.literal("hang"), when: z.enum(["after-reading", "after-processing"]) }),
]);
export type TokenResponseOverride = z.infer<typeof tokenResponseOverrideSchema>;

/** Ready-made overrides. */
export const tokenResponses = {
  /** A page where JSON is expected, as a captive portal or proxy sends it. */
  html: (status = 200): TokenResponseOverride => ({
    kind: "replace",
    status,
    headers: { "Content-Type": "text/html" },
    body: "<!doctype html><title>Network sign-in</title><h1>Please sign in to the network</h1>",
  }),
  /** An OAuth error under a status that says all is well. */
  errorAsSuccess: (error: string): TokenResponseOverride => tokenResponses.error(200, error),
  empty: (status = 200): TokenResponseOverride => ({ kind: "replace", status, headers: { "Content-Type": "application/json" }, body: "" }),
  redirectTo: (location: string): TokenResponseOverride => ({ kind: "replace", status: 302, headers: { Location: location } }),
  /** Valid JSON of at least `bytes` bytes. */
  huge: (bytes = 10 * 1024 * 1024): TokenResponseOverride => ({
    kind: "replace",
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ access_token: "x".repeat(bytes), expires_in: 3600 }),
  }),
  truncatedJson: (): TokenResponseOverride => ({
    kind: "replace",
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: '{"access_token":"abc',
  }),
  wrongContentType: (): TokenResponseOverride => ({ kind: "amend", headers: { "Content-Type": "text/plain" } }),
  withoutField: (...names: readonly string[]): TokenResponseOverride => ({ kind: "amend", omit: [...names] }),
  withFields: (fields: Readonly<Record<string, unknown>>): TokenResponseOverride => ({ kind: "amend", set: { ...fields } }),
  /** A token the API does not know, but which a client must carry or refuse cleanly. */
  longAccessToken: (length = 8192): TokenResponseOverride => ({ kind: "amend", set: { access_token: "L".repeat(length) } }),
  /** An OAuth error (RFC 6749 section 5.2), or any other status with `Retry-After`. */
  error: (status: number, error: string, headers: Readonly<Record<string, string>> = {}): TokenResponseOverride => ({
    kind: "replace",
    status,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ error }),
  }),
  drop: (when: "before-reading" | "after-reading" | "after-processing"): TokenResponseOverride => ({ kind: "drop", when }),
  hang: (when: "after-reading" | "after-processing"): TokenResponseOverride => ({ kind: "hang", when }),
} as const;
