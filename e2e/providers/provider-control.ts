/**
 * The control protocol between a stand-in provider in its own process and whoever started it. Invariant: one JSON value a
 * line; the first line out is `ready`, then one answer for each command, in order.
 */
import { z } from "zod";

export const providerKinds = ["mazda", "webfleet"] as const;
export type ProviderKind = (typeof providerKinds)[number];

export const controlCommandSchema = z.discriminatedUnion("command", [
  z.strictObject({ command: z.literal("expireAccessTokens") }),
  z.strictObject({ command: z.literal("revokeAll") }),
  z.strictObject({ command: z.literal("counters") }),
  /** Moves the provider's clock on. */
  z.strictObject({ command: z.literal("moveClock"), seconds: z.number().min(0) }),
  /** Cuts the connections that hang. */
  z.strictObject({ command: z.literal("cutHanging") }),
  z.strictObject({ command: z.literal("issuedSecrets") }),
  /** Changes the named fields of the behaviour; checked against the provider's own schema. */
  z.strictObject({ command: z.literal("setBehaviour"), behaviour: z.record(z.string(), z.unknown()) }),
]);
export type ControlCommand = z.infer<typeof controlCommandSchema>;

export const readyLineSchema = z.strictObject({
  ready: z.literal(true),
  origin: z.string(),
  certificatePem: z.string().optional(),
});

/** `result` is null for commands that only do something. */
export const answerLineSchema = z.union([z.strictObject({ result: z.unknown() }), z.strictObject({ error: z.string() })]);
