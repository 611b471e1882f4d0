/** How a token is named where it must not stand itself. */
import type { Grant } from "./connection-state.ts";

/** Names a token without containing any of it: when it was obtained tells tokens of one connection apart. */
export function tokenIdOf(grant: Grant): string {
  return `t${grant.obtainedAtMs.toString(36)}`;
}
