/** Who a person at a stand-in provider says to be. Invariant: the fields of the sign-in form never go any further than this. */
import type { ProviderUser } from "./provider-contract.ts";

const signInFields: readonly string[] = ["username", "password"];

/** The user whose name and password the form holds; undefined when they are wrong. */
export function userSigningIn(users: readonly ProviderUser[], form: URLSearchParams): ProviderUser | undefined {
  const user = users.find(({ id }) => id === form.get("username"));
  return user !== undefined && (user.password === undefined || user.password === form.get("password")) ? user : undefined;
}

/** Whether the form comes from the sign-in page. */
export function isSigningIn(form: URLSearchParams): boolean {
  return form.has("username");
}

/** The form without what the sign-in page asked for. */
export function withoutSignIn(form: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...form].filter(([name]) => !signInFields.includes(name)));
}

/** As Keycloak says it. */
export const wrongSignInSentence = "Invalid username or password.";
