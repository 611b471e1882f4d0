/**
 * A registration while it is being typed: every field is text. Empty means "as the provider definition
 * says" (or "keep the stored secret"), never an empty value.
 */
import type { Failure } from "../../shared/failure.ts";
import type {
  BasicEncoding,
  ClientAuthentication,
  Environment,
  ProviderEndpoints,
  RegistrationInput,
  RegistrationView,
} from "../../shared/views.ts";
import { linesOf } from "../parts/lines.ts";

export type EndpointName = keyof ProviderEndpoints;
export const endpointNames: readonly EndpointName[] = [
  "authorizationEndpoint",
  "tokenEndpoint",
  "revocationEndpoint",
  "jwksUri",
  "issuer",
  "grantScreensUrl",
];

export interface RegistrationDraft {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: string;
  readonly scope: string;
  readonly organisations: string;
  readonly clientAuthentication: "" | ClientAuthentication;
  readonly basicEncoding: "" | BasicEncoding;
  /** `undefined` until the switch was touched here or in the stored registration. */
  readonly pkce: boolean | undefined;
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>;
}

export type DraftField = Exclude<keyof RegistrationDraft, "endpoints"> | EndpointName;

const ownFields = [
  "clientId",
  "clientSecret",
  "redirectUris",
  "scope",
  "organisations",
  "clientAuthentication",
  "basicEncoding",
  "pkce",
] as const satisfies readonly DraftField[];
const draftFields: readonly DraftField[] = [...ownFields, ...endpointNames];

/** Fields that stand under Advanced. */
export const advancedFields: readonly DraftField[] = ["basicEncoding", "pkce", ...endpointNames];

/** The draft of a stored registration, or an empty one. The secret is never part of it: the window does not know it. */
export function registrationDraft(stored: RegistrationView | undefined): RegistrationDraft {
  return {
    clientId: stored?.clientId ?? "",
    clientSecret: "",
    redirectUris: stored?.redirectUris.join("\n") ?? "",
    scope: stored?.scope ?? "",
    organisations: stored?.organisations.join("\n") ?? "",
    clientAuthentication: stored?.clientAuthentication ?? "",
    basicEncoding: stored?.basicEncoding ?? "",
    pkce: stored?.pkce,
    endpoints: stored?.endpoints ?? {},
  };
}

/** Whether every field has the same text in both. */
export function isSameDraft(one: RegistrationDraft, other: RegistrationDraft): boolean {
  return (
    ownFields.every((field) => one[field] === other[field]) &&
    endpointNames.every((name) => (one.endpoints[name] ?? "") === (other.endpoints[name] ?? ""))
  );
}

/** The call's value of a draft. Only the secret is sent untrimmed: a space may belong to it. */
export function registrationInput(provider: string, environment: Environment, draft: RegistrationDraft): RegistrationInput {
  const scope = draft.scope.trim();
  const typed = endpointNames.map((name) => [name, draft.endpoints[name]?.trim() ?? ""] as const).filter(([, value]) => value !== "");
  const endpoints: Partial<ProviderEndpoints> = Object.fromEntries(typed);
  return {
    provider,
    environment,
    clientId: draft.clientId.trim(),
    redirectUris: linesOf(draft.redirectUris),
    organisations: linesOf(draft.organisations),
    ...(draft.clientSecret === "" ? {} : { clientSecret: draft.clientSecret }),
    ...(scope === "" ? {} : { scope }),
    ...(draft.clientAuthentication === "" ? {} : { clientAuthentication: draft.clientAuthentication }),
    ...(draft.basicEncoding === "" ? {} : { basicEncoding: draft.basicEncoding }),
    ...(draft.pkce === undefined ? {} : { pkce: draft.pkce }),
    ...(typed.length === 0 ? {} : { endpoints }),
  };
}

/** A reason a field cannot be saved: one this window found, or the words of the main process. */
export type DraftProblem =
  | { readonly kind: "clientIdMissing" | "redirectUrisMissing" | "addressInvalid" }
  | { readonly kind: "redirectUriInvalid"; readonly uri: string }
  | { readonly kind: "fromMain"; readonly problem: string };

export type DraftProblems = Readonly<Partial<Record<DraftField, DraftProblem>>>;

/** What can be said before asking the main process, which checks everything again. */
export function draftProblems(draft: RegistrationDraft): DraftProblems {
  const redirectUris = linesOf(draft.redirectUris);
  const invalidUri = redirectUris.find((uri) => !URL.canParse(uri));
  const addresses = endpointNames
    .filter((name) => !isEndpointAddress(draft.endpoints[name]?.trim() ?? ""))
    .map((name) => [name, { kind: "addressInvalid" }] as const);
  return {
    ...(draft.clientId.trim() === "" ? { clientId: { kind: "clientIdMissing" } } : {}),
    ...(redirectUris.length === 0 ? { redirectUris: { kind: "redirectUrisMissing" } } : {}),
    ...(invalidUri === undefined ? {} : { redirectUris: { kind: "redirectUriInvalid", uri: invalidUri } }),
    ...Object.fromEntries(addresses),
  };
}

/** The field a refused save is about, or `undefined` when it is about none or one this form does not have. */
export function failedField(failure: Failure): { readonly field: DraftField; readonly problem: DraftProblem } | undefined {
  const { field: path, problem } = failure.params;
  if (failure.code !== "registration_invalid" || path === undefined || problem === undefined) return undefined;
  // A path such as `redirectUris.0` or `endpoints.tokenEndpoint`: the last word that is a field of ours.
  const words = String(path).split(/[.[\]]+/);
  const field = draftFields.findLast((each) => words.includes(each));
  return field && { field, problem: { kind: "fromMain", problem: String(problem) } };
}

function isEndpointAddress(value: string): boolean {
  if (value === "") return true;
  const url = URL.parse(value);
  if (url === null) return false;
  const isLoopback = url.hostname === "localhost" || url.hostname === "[::1]" || url.hostname.startsWith("127.");
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback);
}
