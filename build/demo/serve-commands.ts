/** What can be typed while `--serve` runs. Invariant: each line gets one answer, and the end of the input ends nothing. */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { reconnect } from "../../e2e/support/app-window.ts";
import { type DealerUser, mazdaUser, webfleetUser } from "../../e2e/support/test-dealer.ts";
import type { Stage } from "./stage.ts";

export const commandsHelp = `You can type:
  expire mazda     Mazda refuses the access tokens it gave out: its API answers 401
  end mazda        Mazda ends the grant: report the 401 (token.rejected) and get reconnect_required;
                   in the minute after a renewal, rate_limited
  sign-in mazda    signs the user in again, as connect.start does
  quit             the same as Ctrl+C
The same with webfleet.`;

const users = { mazda: mazdaUser, webfleet: webfleetUser };

/**
 * Obeys the lines of `input`.
 *
 * @param quit called for `quit`
 */
export function obeyCommands(input: Readable, stage: Stage, say: (line: string) => void, quit: () => void): void {
  createInterface({ input }).on("line", (line) => {
    if (line.trim() === "quit") return quit();
    if (line.trim() !== "") void obey(stage, line.trim().split(/\s+/)).then(say, () => say("That did not work."));
  });
}

/** Does what the words say; the answer. */
async function obey(stage: Stage, [command = "", provider, ...more]: readonly string[]): Promise<string> {
  const action = actions.get(command);
  if (action === undefined || (provider !== "mazda" && provider !== "webfleet") || more.length > 0) return commandsHelp;
  return action(stage, users[provider]);
}

type Action = (stage: Stage, user: DealerUser) => Promise<string>;

const actions = new Map<string, Action>([
  ["expire", expire],
  ["end", end],
  ["sign-in", signIn],
]);

async function expire(stage: Stage, { provider, providerName }: DealerUser): Promise<string> {
  await stage[provider].command("expireAccessTokens");
  return `${providerName} refuses all access tokens it gave out so far.`;
}

async function end(stage: Stage, { provider, providerName }: DealerUser): Promise<string> {
  await stage[provider].command("revokeAll");
  // A grant that has ended leaves no token good.
  await stage[provider].command("expireAccessTokens");
  return `${providerName} has ended the grant.`;
}

async function signIn({ app: { page } }: Stage, user: DealerUser): Promise<string> {
  const button = page.getByRole("button", { name: `Reconnect: ${user.providerName}, ${user.user}` });
  if (!(await button.isVisible())) return "DMS Connect does not ask for a sign-in of this user.";
  await reconnect(page, user);
  return "The sign-in has begun.";
}
