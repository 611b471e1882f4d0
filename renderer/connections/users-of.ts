/** The users of a list of connections. */
import type { ConnectionView } from "../../shared/views.ts";

/** Each user once, in the order of their ids. */
export function usersOf(connections: readonly ConnectionView[]): readonly string[] {
  return [...new Set(connections.map(({ user }) => user))].toSorted((one, other) => one.localeCompare(other));
}
