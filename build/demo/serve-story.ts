/** The demo as a playground for other people's clients. Invariant: it says where everything is only when a client can use it. */
import { apiUrl, mazdaUser, organisation, webfleetUser } from "../../e2e/support/test-dealer.ts";
import { connectUser } from "./connect-user.ts";
import { checkDemoProgram } from "./demo-program.ts";
import type { Narrator } from "./narrator.ts";
import { approvePairings, approveSignIns } from "./serve-approvals.ts";
import { commandsHelp, obeyCommands } from "./serve-commands.ts";
import type { Stage } from "./stage.ts";

/**
 * Serves until the app ends or somebody types `quit`.
 *
 * @param stage with the program of demo-program.ts
 * @throws StepFailed when a client could not have got its tokens
 */
export async function serve(stage: Stage, { step, say }: Narrator): Promise<void> {
  for (const user of [mazdaUser, webfleetUser]) {
    await step(`connect ${user.providerName} as ${user.user}`, () => connectUser(stage, user));
  }
  await step("set up a program by a program file", () => checkDemoProgram(stage.workplace));
  const { app } = stage;
  const ended = new Promise<void>((resolve) => {
    app.page.once("close", () => resolve());
    app.exited.then(
      () => resolve(),
      () => resolve(),
    );
    obeyCommands(process.stdin, stage, say, resolve);
  });
  // Both go on until the app ends, and then fail by design.
  approvePairings(stage, say).catch(() => undefined);
  approveSignIns(stage, say).catch(() => undefined);
  say(whatIsWhere(stage));
  await ended;
}

function whatIsWhere({ workplace, origins }: Stage): string {
  return `
DMS Connect is running as a PLAYGROUND: its providers are stand-ins, its tokens open nothing real. Therefore
EVERY PAIRING AND EVERY SIGN-IN IS APPROVED WITHOUT A QUESTION. For a pairing, name and code are printed here.

For your client's environment; the credentials are those of a program that is set up already:
DMS_CONNECT_PIPE=${workplace.pipe}
DMS_CONNECT_CREDENTIALS=${workplace.credentialsFile}

Connected users, and an API that takes their tokens:
${userLines(origins)}
  (Mazda's certificate: ${workplace.mazdaCertificateFile}; organisation: ${organisation})
Everybody else is not_connected.

${commandsHelp}
Ctrl+C ends it.
`;
}

function userLines(origins: Stage["origins"]): string {
  const lines = [mazdaUser, webfleetUser].map((each) => `  ${each.provider} ${each.user} ${each.environment} GET ${apiUrl(origins, each)}`);
  return lines.join("\n");
}
