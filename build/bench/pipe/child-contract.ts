/** What the bench and the broker's process say to each other. Invariant: both sides parse what they get. */
import { z } from "zod";

/** Environment variable that holds the settings. */
export const settingsVariable = "DMS_CONNECT_BENCH";

export const brokerSettings = z.object({
  profileFolder: z.string(),
  pipe: z.string(),
  tokenEndpoint: z.string(),
  programs: z.int(),
  users: z.array(z.string()),
});
export type BrokerSettings = z.infer<typeof brokerSettings>;

export const parentMessage = z.discriminatedUnion("kind", [
  /** Makes the token of `user` an ended one. */
  z.object({ kind: z.literal("expire"), user: z.string() }),
  z.object({ kind: z.literal("measure") }),
  z.object({ kind: z.literal("close") }),
]);
export type ParentMessage = z.infer<typeof parentMessage>;

const memory = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });
export type Memory = z.infer<typeof memory>;

export const childMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), credentials: z.array(z.object({ clientId: z.string(), clientKey: z.string() })) }),
  z.object({ kind: z.literal("expired") }),
  /** After a collection of garbage. */
  z.object({ kind: z.literal("measured"), memory }),
]);
export type ChildMessage = z.infer<typeof childMessage>;
