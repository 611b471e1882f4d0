/** What audit rows say of how an act ended. */
import type { Result } from "../../shared/result.ts";

/** `ok` or the failure's code. */
export function outcomeOf(result: Result<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}
