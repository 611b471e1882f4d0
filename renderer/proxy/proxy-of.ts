/** Which proxy a failure asks to sign in to. */
import type { Failure } from "../../shared/failure.ts";

/** Host and port, or `undefined` where no proxy is named. */
export function proxyOf({ code, params }: Failure): string | undefined {
  const { proxy } = params;
  return code === "proxy_sign_in_needed" && typeof proxy === "string" ? proxy : undefined;
}
