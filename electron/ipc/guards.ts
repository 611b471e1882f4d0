/**
 * What each call from the window may carry. Invariant: shape and length are settled here, once; what a
 * value means (is this a known provider, may this redirect URI be used) is core's to judge.
 */
import { z } from "zod";
import type { CallName, CallParams } from "../../shared/ipc-contract.ts";
import { err, ok, type Result } from "../../shared/result.ts";

/** Turns `unknown` into the parameters of a call, or says in one line what is wrong, without repeating a value. */
export type Guard<T> = (value: unknown) => Result<T, string>;
export type CallGuards = { readonly [N in CallName]: Guard<CallParams<N>> };

/** Long enough for every id in use (provider, user, organisation, client), far below anything that hurts. */
const id = z.string().min(1).max(256);
/** The authorization request goes through a browser's address bar; URLs in a registration are its parts. */
const url = z.string().min(1).max(2048);
const secret = z.string().min(1).max(4096);
/** A connection id is three percent-encoded ids. */
const connectionId = z.string().min(1).max(2400);
const environment = z.enum(["acceptance", "production"]);
const organisations = z.array(id).max(500).readonly();
const names = z.union([z.literal("all"), z.array(id).max(1000).readonly()]);

const none = z.undefined();
const connection = z.strictObject({ connectionId });
/** Also what a program file may say of a program's access. */
export const accessSchema = z.strictObject({
  users: names,
  providers: names,
  // The end of the year 9999: what is later is no date for a person.
  untilMs: z.int().min(0).max(253_402_300_799_999).exactOptional(),
  requestsPerMinute: z.int().min(1).max(10_000_000).exactOptional(),
});

/** Typed by a person: what is only spaces is nothing. */
const user = z.string().trim().min(1).max(256);
const connect = z.strictObject({ provider: id, environment, user, organisation: id.exactOptional() });

const endpoints = z.strictObject({
  authorizationEndpoint: url.exactOptional(),
  tokenEndpoint: url.exactOptional(),
  revocationEndpoint: url.exactOptional(),
  jwksUri: url.exactOptional(),
  issuer: url.exactOptional(),
  grantScreensUrl: url.exactOptional(),
});

/** A registration as typed into the window or found in a registration file. */
export const registrationSchema = z.strictObject({
  provider: id,
  environment,
  clientId: z.string().max(512),
  clientSecret: secret.exactOptional(),
  redirectUris: z.array(url).max(16).readonly(),
  scope: z.string().max(2048).exactOptional(),
  organisations,
  clientAuthentication: z.enum(["basic", "body"]).exactOptional(),
  basicEncoding: z.enum(["form", "raw"]).exactOptional(),
  pkce: z.boolean().exactOptional(),
  endpoints: endpoints.exactOptional(),
});

/** No lower bound but one: a short one is told what it lacks by the part that knows. */
const passphrase = z.string().min(1).max(1024);
const withPassphrase = z.strictObject({ passphrase });

/** `HH:MM`, or nothing. */
const timeOfDay = z.union([z.literal(""), z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)]);
const settings = z.strictObject({
  theme: z.enum(["system", "light", "dark"]),
  usualUser: z.string().max(256),
  startAtLogin: z.boolean(),
  quietFrom: timeOfDay,
  quietTo: timeOfDay,
  mutedUsers: z.array(id).max(1000).readonly(),
  saveData: z.boolean(),
});

const auditQuery = z.strictObject({
  limit: z.int().min(1).max(200),
  before: z.int().min(1).exactOptional(),
  outcome: z.enum(["ok", "refused"]).exactOptional(),
  text: z.string().min(1).max(256).exactOptional(),
});

/** One guard a call of the contract; a call without one does not compile. */
export const callGuards: CallGuards = {
  "status.get": guard(none),
  "providers.list": guard(none),
  "connections.list": guard(none),
  "connect.start": guard(connect),
  "connect.cancel": guard(connection),
  "connection.revoke": guard(connection),
  "connection.forget": guard(connection),
  "user.endAll": guard(z.strictObject({ user: id })),
  "connection.openGrantScreens": guard(connection),
  "window.target": guard(none),
  "proxy.signIn": guard(z.strictObject({ proxy: id, userName: id, password: secret })),
  "registrations.list": guard(none),
  "registrations.save": guard(registrationSchema),
  "registrations.remove": guard(z.strictObject({ provider: id, environment })),
  "registrations.import": guard(none),
  "clients.list": guard(none),
  "clients.update": guard(z.strictObject({ clientId: id, access: accessSchema })),
  "clients.import": guard(none),
  "blocked.list": guard(none),
  "blocked.remove": guard(z.strictObject({ blockedId: id })),
  "clients.remove": guard(z.strictObject({ clientId: id })),
  "pairings.list": guard(none),
  "pairing.approve": guard(z.strictObject({ pairingId: id, access: accessSchema })),
  "pairing.deny": guard(z.strictObject({ pairingId: id })),
  "pairing.block": guard(z.strictObject({ pairingId: id })),
  "audit.page": guard(auditQuery),
  "audit.verify": guard(none),
  "audit.export": guard(z.strictObject({ format: z.enum(["csv", "jsonl"]) })),
  "settings.get": guard(none),
  "settings.save": guard(settings),
  "certificate.save": guard(none),
  "vault.tryAgain": guard(none),
  "vault.unlock": guard(withPassphrase),
  "vault.setPassphrase": guard(withPassphrase),
  "vault.removePassphrase": guard(none),
  "vault.startAnew": guard(none),
  "vault.useEarlierSystemKeys": guard(none),
  "vault.rekey": guard(z.strictObject({ passphrase: passphrase.exactOptional() })),
  "vault.export": guard(z.strictObject({ passphrase, includeSignIns: z.boolean() })),
  "vault.import": guard(withPassphrase),
};

function guard<T>(schema: z.ZodType<T>): Guard<T> {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return ok(parsed.data);
    const issue = parsed.error.issues[0];
    // zod's messages name the expected form and never the received value.
    return err(issue === undefined ? "not valid" : [issue.path.join("."), issue.message].filter(Boolean).join(": "));
  };
}
