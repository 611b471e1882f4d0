/** What can go wrong between programs, their approval and the pipe: a part of `failure-catalogue.ts`. */
import { type FailureTexts, texts } from "./failure-texts.ts";

export const programFailures = {
  not_paired: texts(
    "not_paired",
    false,
    "This program is not paired with DMS Connect.",
    "Pair the program again: start its set-up and approve it in DMS Connect.",
  ),
  pairing_denied: texts(
    "not_paired",
    false,
    "The pairing was refused in DMS Connect.",
    "Ask the person at this computer to approve the program.",
  ),
  pairing_expired: texts(
    "not_paired",
    true,
    "Nobody approved the pairing in time.",
    "Start the pairing again and approve it in DMS Connect.",
  ),
  pairing_unknown: texts("invalid_request", false, "No such pairing is waiting.", "Start the pairing again."),
  pairing_paused: texts(
    "rate_limited",
    true,
    "DMS Connect asks nobody now, because a request of a program was not approved.",
    "Ask the person at this computer. Wait, then start the pairing again. After more refusals the wait is longer, up to an hour.",
  ),
  pairing_busy: texts("rate_limited", true, "Another pairing is waiting for an answer.", "Answer it in DMS Connect first, or wait."),
  not_permitted: texts(
    "not_permitted",
    false,
    "This program may not use {{provider}} for {{user}}.",
    "Ask an administrator to change the program's access in DMS Connect.",
  ),
  pairing_blocked: texts(
    "not_permitted",
    false,
    "This program was blocked in DMS Connect.",
    "Ask an administrator to unblock it on the page DMS programs of DMS Connect.",
  ),
  pairing_forbidden: texts(
    "not_permitted",
    false,
    "On this computer programs may not ask for approval.",
    "Ask your administrator to set this program up for DMS Connect.",
  ),
  program_unknown: texts(
    "invalid_request",
    false,
    "There is no such program.",
    "Look at the page DMS programs again: it may have been removed.",
  ),
  program_managed: texts(
    "invalid_request",
    false,
    "Your administrator has set this program up. It cannot be changed here.",
    "Ask your administrator to change it.",
  ),
  program_rate_limited: texts(
    "rate_limited",
    true,
    "The program has sent more than {{limit}} requests in a minute.",
    "Wait and try again. If the program needs more, ask an administrator to raise its limit in DMS Connect.",
  ),
  program_file_unreadable: texts(
    "invalid_request",
    false,
    "The program file could not be read: {{problem}}.",
    "Ask your DMS vendor or your administrator for a new file.",
  ),
  policy_unreadable: texts(
    "internal_error",
    false,
    "The policy file of this computer cannot be used ({{problem}}). New programs cannot be approved until it can.",
    "Ask your administrator to correct {{file}}, then restart DMS Connect.",
  ),
  rate_limited: texts("rate_limited", true, "Too many requests.", "Wait and try again."),
  pipe_in_use: texts(
    "internal_error",
    false,
    "Another program already listens where DMS Connect should ({{name}}).",
    "Close the other program and restart DMS Connect. If you do not know it, call your administrator.",
  ),
  pipe_failed: texts(
    "internal_error",
    false,
    "DMS Connect could not open its pipe ({{problem}}).",
    "Restart DMS Connect. If it happens again, call your DMS vendor.",
  ),
  pipe_not_private: texts(
    "internal_error",
    false,
    "The pipe could not be closed to other users of this computer ({{problem}}), so DMS Connect serves no programs.",
    "Restart DMS Connect. If it happens again, call your DMS vendor.",
  ),
} as const satisfies Record<string, FailureTexts>;
