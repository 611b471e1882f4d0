/** The list of users without notifications, and what may be added to it. */

/** As the main process accepts them. */
export const mutedUserLimit = 128;
export const mutedUsersLimit = 1000;

export type MutedUserProblem = "mutedMissing" | "mutedTooLong" | "mutedTwice" | "mutedFull";

/** What keeps `user` (trimmed) from being added, or `undefined`. */
export function mutedUserProblem(user: string, mutedUsers: readonly string[]): MutedUserProblem | undefined {
  if (user === "") return "mutedMissing";
  if (user.length > mutedUserLimit) return "mutedTooLong";
  if (mutedUsers.includes(user)) return "mutedTwice";
  return mutedUsers.length >= mutedUsersLimit ? "mutedFull" : undefined;
}
