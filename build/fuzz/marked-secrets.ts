/** The secrets of the fuzzed servers. Each begins with a word that is easy to find in any answer and in any line of a log. */
import { createHash } from "node:crypto";
import type { FuzzedProgram } from "./child-contract.ts";

/** What no program and no browser is ever told, and no log either. */
export const secretMarks = {
  clientSecret: "CLIENT-SECRET-",
  refreshToken: "REFRESH-TOKEN-",
  code: "CODE-",
  state: "STATE-",
} as const;

/** What a log is not told either, though programs are. */
const accessTokenMark = "TOKEN-OF-";
export const logMarks: readonly string[] = [...Object.values(secretMarks), accessTokenMark];

/** Requests to be paired under these names are approved. */
export const approvedNames: readonly [string, ...string[]] = ["Approved DMS 1", "Approved DMS 2", "Approved DMS 3"];
/** Nobody ever answers a request under this name. */
export const undecidedName = "Undecided DMS";
/** Nobody has answered a request under this name in time. */
export const expiredName = "Expired DMS";

/** How a token of that program's users begins. */
export function tokenMark(owner: string): string {
  return `${accessTokenMark}${owner}-`;
}

/** As long as a real one, so that answers fill buffers as real ones do. */
export function tokenOf(owner: string): string {
  return `${tokenMark(owner)}${"t".repeat(1_180)}`;
}

/** A user only that program may see, who always has a token. */
export function userOf(owner: string): string {
  return `USER-OF-${owner}`;
}

/** A user only that program may see, to whom something happens. */
export function userWith(fate: "slow" | "goes" | "ended", owner: string): string {
  return `${userOf(owner)}-${fate}`;
}

/** The same key for the same seed: 32 bytes, base64url. */
export function keyOf(seed: string): string {
  return createHash("sha256").update(`key of ${seed}`).digest("base64url");
}

/** The only provider that program may use. */
export function providerOf(owner: string): string {
  return `fuzz-${owner}`;
}

/** A program with a provider and four users of its own. */
export function programOf(owner: string, clientId: string, clientKey: string): FuzzedProgram {
  return {
    clientId,
    clientKey,
    provider: providerOf(owner),
    users: [userOf(owner), userWith("slow", owner), userWith("goes", owner), userWith("ended", owner)],
    marks: [tokenMark(owner), userOf(owner)],
  };
}
