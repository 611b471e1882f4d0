/** What the parent and the broker's process tell each other. Invariant: nothing here holds a token or a secret of a provider. */
import { z } from "zod";
import { isStepName } from "./steps.ts";

/** Deliberate faults, to prove that the harness notices them. */
export const sabotages = [
  /** Says that a connection was written some time before it is. */
  "answer-before-commit",
  /** Stores no trace of a refresh that is about to be sent. */
  "forget-in-flight",
] as const;
export type Sabotage = (typeof sabotages)[number];

/** Name of the environment variable that holds the settings, as JSON. */
export const settingsVariable = "DMS_CONNECT_CRASH_CHILD";
/** The child writes its step reports here: one JSON object a line. */
export const stepsDescriptor = 4;
export const providerId = "rotating";
export const environment = "production";
export const clientId = "crash-harness";

const stepName = z.custom<import("./steps.ts").StepName>((value) => typeof value === "string" && isStepName(value));

export const childSettings = z.strictObject({
  profileFolder: z.string(),
  pipe: z.string(),
  /** `http://127.0.0.1:PORT`. */
  providerOrigin: z.string(),
  life: z.int(),
  /** 32 bytes, hexadecimal: what the operating system would keep through a crash. */
  safeStorageKey: z.string(),
  killAt: z.strictObject({ step: stepName, occurrence: z.int() }).exactOptional(),
  sabotage: z.enum(sabotages).exactOptional(),
});
export type ChildSettings = Readonly<z.infer<typeof childSettings>>;

export const stepReport = z.strictObject({
  step: stepName,
  user: z.string().exactOptional(),
  /** `tokenName` of the access token it is about. */
  token: z.string().exactOptional(),
});
export type StepReport = Readonly<z.infer<typeof stepReport>>;

/** Work for the broker's window, which only the process itself can do. */
const work = [
  z.strictObject({ kind: z.literal("register"), revision: z.int() }),
  z.strictObject({ kind: z.literal("back-up") }),
  z.strictObject({ kind: z.literal("rekey") }),
] as const;
const workMessage = z.discriminatedUnion("kind", work);
export type Work = Readonly<z.infer<typeof workMessage>>;

export const parentMessage = z.discriminatedUnion("kind", [...work, z.strictObject({ kind: z.literal("close") })]);
export type ParentMessage = Readonly<z.infer<typeof parentMessage>>;

const startReport = z.strictObject({
  /** Absent when the vault is open; otherwise the failure's code. */
  vaultFailure: z.string().exactOptional(),
  pipeFailure: z.string().exactOptional(),
  notices: z.array(z.string()),
  connections: z.array(z.strictObject({ user: z.string(), state: z.string(), failure: z.string().exactOptional() })),
  clientIds: z.array(z.string()),
  /** As last saved; absent without a registration. */
  registrationRevision: z.int().exactOptional(),
  /** `intact`, or where and how the chain breaks. */
  audit: z.string(),
});
export type StartReport = Readonly<z.infer<typeof startReport>>;

export const childMessage = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ready"), report: startReport }),
  /** Without `failure`, which is a code, the work is acknowledged. */
  z.strictObject({ kind: z.literal("done"), work: workMessage, failure: z.string().exactOptional(), problem: z.string().exactOptional() }),
]);
export type ChildMessage = Readonly<z.infer<typeof childMessage>>;
export type WorkDone = Extract<ChildMessage, { readonly kind: "done" }>;
