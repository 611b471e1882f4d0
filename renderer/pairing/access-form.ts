/**
 * What a program may use, while a person chooses it, and the policy it becomes. Invariants: a form with a problem never becomes a
 * policy, so nothing is granted by an empty list or a day that is over; what the person did not touch stays as it was stored.
 */
import type { AccessPolicy } from "../../shared/views.ts";
import { linesOf } from "../parts/lines.ts";

/** As the main process accepts them. */
export const userIdLimit = 256;
export const userListLimit = 1_000;
export const requestsLimit = 10_000_000;

export interface AccessForm {
  readonly users: "all" | "some";
  /** User ids, one on each line. */
  readonly userList: string;
  readonly providers: "all" | "some";
  readonly providerIds: readonly string[];
  readonly until: "always" | "date";
  /** `YYYY-MM-DD` of this computer's calendar, as a date field gives it; empty until it is complete. */
  readonly lastDay: string;
  /** As typed; empty for the usual limit. */
  readonly requests: string;
}

/** What is chosen before a person chooses: as a program needs it most often. */
export const initialAccessForm: AccessForm = {
  users: "all",
  userList: "",
  providers: "all",
  providerIds: [],
  until: "always",
  lastDay: "",
  requests: "",
};

/** The form that shows a stored policy. */
export function accessForm(stored: AccessPolicy): AccessForm {
  const endMs = accessEndMs(stored);
  return {
    users: stored.users === "all" ? "all" : "some",
    userList: stored.users === "all" ? "" : stored.users.join("\n"),
    providers: stored.providers === "all" ? "all" : "some",
    providerIds: stored.providers === "all" ? [] : stored.providers,
    until: endMs === undefined ? "always" : "date",
    lastDay: endMs === undefined ? "" : dayText(endMs),
    requests: stored.requestsPerMinute === undefined ? "" : String(stored.requestsPerMinute),
  };
}

/** What is wrong, as names of the texts that say it; `undefined` where nothing is. */
export interface AccessProblems {
  readonly userList: "userListMissing" | "userListTooLong" | "userListTooMany" | undefined;
  readonly providerIds: "providerListMissing" | undefined;
  readonly lastDay: "lastDayMissing" | "lastDayPast" | undefined;
  readonly requests: "requestsInvalid" | undefined;
}

/**
 * What is wrong with a form. An empty list is refused: it would approve a program that may do nothing.
 *
 * @param nowMs Unix milliseconds
 */
export function accessProblems(form: AccessForm, nowMs: number): AccessProblems {
  return {
    userList: form.users === "all" ? undefined : userListProblem(linesOf(form.userList)),
    providerIds: form.providers === "some" && form.providerIds.length === 0 ? "providerListMissing" : undefined,
    lastDay: form.until === "always" ? undefined : lastDayProblem(endOfDayMs(form.lastDay), nowMs),
    requests: form.requests.trim() === "" || requestsNumber(form.requests) !== undefined ? undefined : "requestsInvalid",
  };
}

/** Whether a form may become a policy. */
export function isSound(problems: AccessProblems): boolean {
  return Object.values(problems).every((problem) => problem === undefined);
}

/**
 * The policy of a form that has no problem.
 *
 * @param stored the policy the form began with: an end within the chosen day stays as exact as it was
 */
export function accessPolicy(form: AccessForm, nowMs: number, stored?: AccessPolicy): AccessPolicy {
  const untilMs = form.until === "always" ? undefined : lastMomentMs(form.lastDay, nowMs, stored);
  const requestsPerMinute = requestsNumber(form.requests);
  return {
    users: form.users === "all" ? "all" : linesOf(form.userList),
    providers: form.providers === "all" ? "all" : form.providerIds,
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  };
}

/** Files may say what no calendar holds: an end beyond the year 9999 is none. */
const lastEndMs = Date.UTC(9999, 11, 31);

/** When the access ends, in Unix milliseconds; `undefined`: never. */
export function accessEndMs({ untilMs }: AccessPolicy): number | undefined {
  return untilMs === undefined || untilMs > lastEndMs ? undefined : untilMs;
}

/** A moment as its day in this computer's time zone, `YYYY-MM-DD`. */
export function dayText(atMs: number): string {
  const at = new Date(atMs);
  const parts = [String(at.getFullYear()).padStart(4, "0"), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())];
  return parts.join("-");
}

function userListProblem(users: readonly string[]): AccessProblems["userList"] {
  if (users.length === 0) return "userListMissing";
  if (users.length > userListLimit) return "userListTooMany";
  return users.some((user) => user.length > userIdLimit) ? "userListTooLong" : undefined;
}

function lastDayProblem(endMs: number | undefined, nowMs: number): AccessProblems["lastDay"] {
  if (endMs === undefined) return "lastDayMissing";
  return endMs <= nowMs ? "lastDayPast" : undefined;
}

function lastMomentMs(lastDay: string, nowMs: number, stored: AccessPolicy | undefined): number | undefined {
  const storedMs = stored && accessEndMs(stored);
  if (storedMs !== undefined && storedMs > nowMs && dayText(storedMs) === lastDay) return storedMs;
  return endOfDayMs(lastDay);
}

/** The last millisecond of a day in this computer's time zone; `undefined` if it is no day. */
function endOfDayMs(day: string): number | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined || month === undefined || date === undefined) return undefined;
  return new Date(Number(year), Number(month) - 1, Number(date), 23, 59, 59, 999).getTime();
}

function requestsNumber(typed: string): number | undefined {
  if (!/^\d{1,9}$/.test(typed.trim())) return undefined;
  const requests = Number(typed.trim());
  return requests >= 1 && requests <= requestsLimit ? requests : undefined;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
