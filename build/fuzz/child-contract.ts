/** What the fuzzer and the process of the fuzzed server say to each other. */
import { z } from "zod";

/** Environment variable that holds the settings. */
export const settingsVariable = "DMS_CONNECT_FUZZ";

/** Deliberate faults of the fuzzed server, which the fuzzer has to notice. */
export const sabotages = ["crash", "hang", "leak-secret", "leak-log", "leak-handle"] as const;
export type Sabotage = (typeof sabotages)[number];

export const childSettings = z.object({ folder: z.string(), sabotage: z.enum(sabotages).exactOptional() });
export type ChildSettings = z.infer<typeof childSettings>;

/** How the server's process is. */
const condition = z.object({
  kind: z.literal("condition"),
  /** What it holds, by name: handles and timers of Node, listeners and sessions of the server. */
  held: z.record(z.string(), z.int()),
  /** What went wrong inside without ending the process. */
  bugs: z.array(z.string()),
  /** What the log was told that nobody may read. */
  logLeaks: z.array(z.string()),
  /** Bytes, after a collection of garbage if one was asked for. */
  memoryInUse: z.int(),
  rss: z.int(),
});
export type Condition = z.infer<typeof condition>;

/** A program that the server knows. The fuzzer speaks for it, and looks for what is its own in the answers to others. */
const fuzzedProgram = z.object({
  clientId: z.string(),
  /** 32 bytes, base64url. */
  clientKey: z.string(),
  /** The name to be paired under, where that is how it gets its key. */
  pairedAs: z.string().exactOptional(),
  /** Its list of connections is about as long as an answer may be. */
  hasLongAnswers: z.boolean().exactOptional(),
  /** The only one it may use. */
  provider: z.string(),
  /** Users it may see. The first one always has a token. */
  users: z.tuple([z.string()], z.string()),
  /** How everything begins that only this program may get. */
  marks: z.array(z.string()),
});
export type FuzzedProgram = z.infer<typeof fuzzedProgram>;

const programs = z.tuple([fuzzedProgram], fuzzedProgram);
/** One at least. */
export type FuzzedPrograms = readonly [FuzzedProgram, ...(readonly FuzzedProgram[])];

export const childMessage = z.discriminatedUnion("kind", [
  /** Where it listens, with TLS too, and whom a pipe server knows. */
  z.object({
    kind: z.literal("ready"),
    address: z.string(),
    secureAddress: z.string().exactOptional(),
    programs: programs.exactOptional(),
  }),
  /** The `state` of the sign-in that waits now, behind TLS or not. */
  z.object({ kind: z.literal("state"), isSecure: z.boolean(), state: z.string() }),
  condition,
]);
export type ChildMessage = z.infer<typeof childMessage>;

export const parentMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("look"), collect: z.boolean() }),
  z.object({ kind: z.literal("end") }),
]);
export type ParentMessage = z.infer<typeof parentMessage>;
