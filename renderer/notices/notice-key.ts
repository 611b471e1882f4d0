/** Which notices are the same one: of the same thing, whatever it is worth at the moment. */
import type { Failure } from "../../shared/failure.ts";

/** They change while the notice stays the same. */
const changingParams: readonly string[] = ["offset", "problem"];

/** Equal for two notices of one cause. */
export function noticeKey({ code, params }: Failure): string {
  const lasting = Object.entries(params)
    .filter(([name]) => !changingParams.includes(name))
    .toSorted(([one], [other]) => one.localeCompare(other));
  return JSON.stringify([code, ...lasting]);
}
