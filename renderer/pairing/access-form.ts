/** The access choice of a pairing while it is being made, and the policy it becomes. */
import type { AccessPolicy } from "../../shared/views.ts";
import { linesOf } from "../parts/lines.ts";

/** As the main process accepts it. */
export const userIdLimit = 128;

export interface AccessForm {
  readonly users: "all" | "some";
  /** User ids, one on each line. */
  readonly userList: string;
  readonly providers: "all" | "some";
  readonly providerIds: readonly string[];
}

export const initialAccessForm: AccessForm = { users: "all", userList: "", providers: "all", providerIds: [] };

export interface AccessProblems {
  readonly userList: "userListMissing" | "userListTooLong" | undefined;
  readonly providerIds: "providerListMissing" | undefined;
}

/** What is wrong with a form. An empty list is refused: it would pair a program that may do nothing. */
export function accessProblems(form: AccessForm): AccessProblems {
  const users = linesOf(form.userList);
  const tooLong = users.some((user) => user.length > userIdLimit);
  return {
    userList: form.users === "all" ? undefined : users.length === 0 ? "userListMissing" : tooLong ? "userListTooLong" : undefined,
    providerIds: form.providers === "some" && form.providerIds.length === 0 ? "providerListMissing" : undefined,
  };
}

/** The policy of a form that has no problem. */
export function accessPolicy(form: AccessForm): AccessPolicy {
  return {
    users: form.users === "all" ? "all" : linesOf(form.userList),
    providers: form.providers === "all" ? "all" : form.providerIds,
  };
}
