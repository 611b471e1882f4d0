/** May this program have this user's token? Pure; the answer never depends on whether the connection exists. */
import { type Failure, failure } from "../../shared/failure.ts";
import type { AccessPolicy } from "../../shared/views.ts";

export interface AccessSubject {
  readonly provider: string;
  readonly user: string;
}

/** Whether `access` covers this provider and user. */
export function isAllowed(access: AccessPolicy, subject: AccessSubject): boolean {
  return covers(access.providers, subject.provider) && covers(access.users, subject.user);
}

/** Whether the access was given until a date that has come. */
export function hasEnded({ untilMs }: AccessPolicy, nowMs: number): boolean {
  return untilMs !== undefined && untilMs <= nowMs;
}

/** The refusal a program gets when `isAllowed` says no. */
export function notPermitted(subject: AccessSubject): Failure {
  return failure("not_permitted", { provider: subject.provider, user: subject.user });
}

function covers(allowed: "all" | readonly string[], value: string): boolean {
  return allowed === "all" || allowed.includes(value);
}
