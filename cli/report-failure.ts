/** How the command line tells a person what went wrong. Everything goes to stderr: stdout is for results. */
import type { BrokerFailure } from "../clients/node/dms-connect-client.ts";
import { type Failure, pipeErrorCode } from "../shared/failure.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** Prints what happened and what to do; returns the exit code. */
export function reportFailure(failure: BrokerFailure): number {
  console.error(`dms-connect: ${failure.message}`);
  console.error(`What to do: ${failure.remedy}`);
  if (failure.retryAfterSeconds !== undefined) console.error(`Try again in ${failure.retryAfterSeconds} seconds.`);
  console.error(`Error: ${failure.code} (${failure.detail})`);
  return exitCodeOf(failure);
}

/** The same for a failure that was met in this process. */
export function reportLocalFailure({ code, message, remedy, retryable }: Failure, betterRemedy: string = remedy): number {
  return reportFailure({ code: pipeErrorCode(code), detail: code, message, remedy: betterRemedy, retryable });
}
