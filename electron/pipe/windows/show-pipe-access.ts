/**
 * Shows on a Windows computer who gets to the pipe and who does not: the real server, with a stand-in behind it.
 *
 *     node electron/pipe/windows/show-pipe-access.ts [--all]
 *
 * Prints a line for each claim: `shown`, `WRONG` or `not shown`, and what was seen. Exit code 1 if one is wrong. With `--all` it
 * also makes a second account, which takes an administrator, removes it again, and fails if a claim could not be shown.
 *
 * The claims with one account have been run under Wine. Those with a second account and with UNC paths (`other-user-claims.ts`)
 * HAVE NOT BEEN RUN YET: they need a real Windows. The workflow in .github/workflows runs all.
 */
import { startFakeBroker } from "../testing/fake-broker.ts";
import { loadWindowsCalls, type WindowsCalls } from "../windows-calls.ts";
import { otherUserClaims } from "./other-user-claims.ts";
import { ownUncClaim, ownUserClaims } from "./own-user-claims.ts";
import { type Claim, NotShown } from "./showing.ts";
import { createOtherUser, type OtherUser } from "./windows-accounts.ts";
import { useWindowsKoffi } from "./windows-koffi.ts";

type Outcome = "shown" | "WRONG" | "not shown";

async function show({ claim, show: tryIt }: Claim): Promise<Outcome> {
  const [outcome, seen] = await tryIt().then(
    (seen): [Outcome, string] => ["shown", seen],
    (error: unknown): [Outcome, string] => [error instanceof NotShown ? "not shown" : "WRONG", messageOf(error)],
  );
  process.stdout.write(`${outcome}: ${claim} (${seen})\n`);
  return outcome;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Gives a second user, or throws why there is none. */
async function secondUser(calls: WindowsCalls, isWanted: boolean): Promise<() => OtherUser> {
  try {
    if (!isWanted) throw new NotShown("needs --all, and an administrator");
    const user = await createOtherUser(calls);
    process.once("exit", () => user.remove());
    return () => user;
  } catch (error) {
    return () => {
      throw new NotShown(messageOf(error));
    };
  }
}

useWindowsKoffi();
const wantsAll = process.argv.includes("--all");
const calls = await loadWindowsCalls();
if (calls === undefined) throw new Error("koffi could not be loaded");
const broker = await startFakeBroker();
const otherUser = await secondUser(calls, wantsAll);
const outcomes: Outcome[] = [];
for (const claim of [...ownUserClaims(calls, broker), ownUncClaim(calls, broker), ...otherUserClaims({ calls, broker, otherUser })]) {
  outcomes.push(await show(claim));
}
await broker.dispose();
const failed = outcomes.some((outcome) => outcome === "WRONG" || (wantsAll && outcome === "not shown"));
// Pipes of the showings may still have ends open.
process.exit(failed ? 1 : 0);
