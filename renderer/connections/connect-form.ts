/** What the Connect dialog holds and when it may be sent. */
import type { ConnectParams } from "../../shared/ipc-contract.ts";
import type { Environment, ProviderView } from "../../shared/views.ts";

/** As the main process and the pipe accept it. */
export const userIdLimit = 128;

export interface ConnectForm {
  readonly user: string;
  readonly environment: Environment;
  /** Empty: the provider chooses. */
  readonly organisation: string;
}

export type UserProblem = "userMissing" | "userTooLong";

/** The environments of `provider` that can be connected. */
export function registeredEnvironments(provider: ProviderView): ProviderView["environments"] {
  return provider.environments.filter(({ registered }) => registered);
}

/** The first form of a provider; production comes before acceptance, as dealers use it daily. */
export function initialForm(provider: ProviderView, usualUser: string): ConnectForm {
  const registered = registeredEnvironments(provider);
  const chosen = registered.find(({ environment }) => environment === "production") ?? registered[0];
  return { user: usualUser, environment: chosen?.environment ?? "production", organisation: chosen?.organisations[0] ?? "" };
}

/** The organisations that can be chosen in an environment. */
export function organisationsOf(provider: ProviderView, environment: Environment): readonly string[] {
  return provider.environments.find((each) => each.environment === environment)?.organisations ?? [];
}

/** What is wrong with a user id, or `undefined`. */
export function userProblem(user: string): UserProblem | undefined {
  const length = user.trim().length;
  if (length === 0) return "userMissing";
  return length > userIdLimit ? "userTooLong" : undefined;
}

/** The call's parameters of a form that has no problem. */
export function connectParams(provider: ProviderView, { user, environment, organisation }: ConnectForm): ConnectParams {
  return { provider: provider.id, environment, user: user.trim(), ...(organisation === "" ? {} : { organisation }) };
}
