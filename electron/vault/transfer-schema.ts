/**
 * The contents of an export, version 1, as JSON. Invariant: text of another form gives `undefined`; the form stands for
 * itself, so that a change of the vault's own records never changes what older files mean.
 */
import { z } from "zod";
import type { TransferContents } from "../core/transfer-contents.ts";
import { parseJson } from "./stored-json.ts";

/** No lengths: what the vault holds must leave it, and the file as a whole is bounded where it is read. */
const id = z.string().min(1);
const url = z.string().min(1);
const environment = z.enum(["acceptance", "production"]);
const atMs = z.number();

const endpointsSchema = z.strictObject({
  authorizationEndpoint: url.exactOptional(),
  tokenEndpoint: url.exactOptional(),
  revocationEndpoint: url.exactOptional(),
  jwksUri: url.exactOptional(),
  issuer: url.exactOptional(),
  grantScreensUrl: url.exactOptional(),
});
const registrationSchema = z.strictObject({
  provider: id,
  environment,
  clientId: z.string(),
  hasClientSecret: z.boolean(),
  redirectUris: z.array(url),
  scope: z.string().exactOptional(),
  organisations: z.array(id),
  clientAuthentication: z.enum(["basic", "body"]).exactOptional(),
  basicEncoding: z.enum(["form", "raw"]).exactOptional(),
  pkce: z.boolean().exactOptional(),
  endpoints: endpointsSchema.exactOptional(),
});

const grantSchema = z.strictObject({
  accessToken: z.string(),
  refreshToken: z.string().exactOptional(),
  scope: z.string().exactOptional(),
  obtainedAtMs: atMs,
  accessTokenExpiresAtMs: atMs,
  grantExpiresAtMs: atMs.exactOptional(),
  grantExpiryIsEstimate: z.boolean(),
});
const attemptSchema = z.strictObject({ attemptId: z.string(), startedAtMs: atMs });
const signInSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("Active"), grant: grantSchema }),
  z.strictObject({ kind: z.literal("InDoubt"), grant: grantSchema, attempt: attemptSchema }),
]);
const connectionSchema = z.strictObject({
  key: z.strictObject({ provider: id, environment, user: id }),
  organisation: id.exactOptional(),
  connectedAtMs: atMs,
  signIn: signInSchema.exactOptional(),
});

const contentsSchema = z.strictObject({
  exportedAtMs: atMs,
  registrations: z.array(z.strictObject({ registration: registrationSchema, clientSecret: z.string() })),
  connections: z.array(connectionSchema),
});

/** The text to seal. Throws for contents that are not of the form: they would not open again, and a stray field must not travel. */
export function writeTransferContents(contents: TransferContents): string {
  const text = JSON.stringify(contents);
  contentsSchema.parse(parseJson(text));
  return text;
}

/** The contents in an opened text, or `undefined`. */
export function parseTransferContents(text: string): TransferContents | undefined {
  return contentsSchema.safeParse(parseJson(text)).data;
}
