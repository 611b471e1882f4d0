/** What the soak and the app's process tell each other. Invariant: nothing here holds a token or a client secret. */
import { z } from "zod";

/** Deliberate faults of the app, to prove that each of the counters can be above zero. */
export const sabotages = [
  /** Some answers of the token endpoint bring the access token of the answer before. */
  "swap-users",
  /** Every `expires_in` is read as ten times as long. */
  "stretch-lives",
  /** Refresh requests are sent once more after their answer has been used. */
  "send-twice",
  /** Webfleet's renewals never leave, and are never given up. */
  "hold-back",
  /** Something rejects, and nobody listens. */
  "reject",
] as const;
export type Sabotage = (typeof sabotages)[number];

export const providerIds = ["mazda", "webfleet"] as const;
export type ProviderId = (typeof providerIds)[number];
const providerId = z.enum(providerIds);

/** One provider as this run offers it. */
const offeredProvider = z.strictObject({
  id: providerId,
  authorizationEndpoint: z.url(),
  /** Behind the proxy; without the number of the run, which the process adds. */
  tokenEndpoint: z.url(),
  issuer: z.url().exactOptional(),
});
export type OfferedProvider = Readonly<z.infer<typeof offeredProvider>>;

/** Name of the environment variable that holds the settings, as JSON. */
export const settingsVariable = "DMS_CONNECT_SOAK_CHILD";
export const environment = "production";
export const clientId = "soak";
/** Each character that has to be encoded somewhere on its way. */
export const clientSecret = "not a secret: 100% + ä";
/** Registered without a port, which stands for any (RFC 8252 section 7.3). */
export const redirectUri = "http://127.0.0.1/soak/callback";
/** The parameter of the token endpoint's URL that tells the endpoint which start of the app is asking. */
export const lifeParameter = "life";

export const childSettings = z.strictObject({
  profileFolder: z.string(),
  pipe: z.string(),
  /** 32 bytes, hexadecimal: what the operating system would keep through a crash. */
  safeStorageKey: z.string(),
  /** Rises with each start. */
  life: z.int(),
  providers: z.array(offeredProvider),
  sabotages: z.array(z.enum(sabotages)),
});
export type ChildSettings = Readonly<z.infer<typeof childSettings>>;

export const parentMessage = z.discriminatedUnion("kind", [
  /** A person clicks Connect. */
  z.strictObject({ kind: z.literal("connect"), provider: providerId, user: z.string() }),
  /** Programs are told when to come back: sooner from a restart. */
  z.strictObject({ kind: z.literal("close"), reason: z.enum(["quit", "restart"]) }),
]);
export type ParentMessage = Readonly<z.infer<typeof parentMessage>>;

export const childMessage = z.discriminatedUnion("kind", [
  /** With a failure's code when programs cannot be served. */
  z.strictObject({ kind: z.literal("ready"), failure: z.string().exactOptional() }),
  /** The browser was asked to open this page for this user. */
  z.strictObject({ kind: z.literal("page"), provider: providerId, user: z.string(), url: z.string() }),
  /** Connect did not get as far as the browser. */
  z.strictObject({ kind: z.literal("refused"), provider: providerId, user: z.string(), failure: z.string() }),
  /** What only a bug brings about: unhandled, or caught and written to the log as an error. */
  z.strictObject({ kind: z.literal("bug"), text: z.string() }),
]);
export type ChildMessage = Readonly<z.infer<typeof childMessage>>;
