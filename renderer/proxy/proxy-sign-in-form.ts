/** What the dialog for a proxy holds and when it may be sent. */
import type { ProxySignInParams } from "../../shared/ipc-contract.ts";

export type ProxySignInForm = Omit<ProxySignInParams, "proxy">;

export interface ProxySignInProblems {
  readonly userName?: "userNameMissing" | "tooLong";
  readonly password?: "passwordMissing" | "tooLong";
}

export const noSignIn: ProxySignInForm = { userName: "", password: "" };

/** In characters, as the main process accepts them. */
export const signInLimits = { userName: 256, password: 4096 } as const;

/** What is wrong with a form, or `undefined`. Neither value is trimmed: a blank may belong to it. */
export function proxySignInProblems({ userName, password }: ProxySignInForm): ProxySignInProblems | undefined {
  const problems: ProxySignInProblems = {
    ...(userName === "" ? { userName: "userNameMissing" } : userName.length > signInLimits.userName ? { userName: "tooLong" } : {}),
    ...(password === "" ? { password: "passwordMissing" } : password.length > signInLimits.password ? { password: "tooLong" } : {}),
  };
  return Object.keys(problems).length === 0 ? undefined : problems;
}
