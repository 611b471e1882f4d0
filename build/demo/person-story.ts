/** The demo with a person at it: the windows are real, the sample program prints each API call, and closing the window ends it. */
import type { SampleProgram } from "../../e2e/support/sample-program.ts";
import { type DealerUser, mazdaUser, webfleetUser } from "../../e2e/support/test-dealer.ts";
import type { Stage } from "./stage.ts";

const instructions = `
DMS Connect is open, with stand-ins for Mazda and Webfleet on this computer. Try this:
  1. A program asks to be paired. Compare its number with the one printed below, and choose Approve.
  2. Click "Connect Mazda", enter the user id ${mazdaUser.user}, click Connect, and choose Approve in the browser.
  3. Click "Connect Webfleet", enter the user id ${webfleetUser.user}, and do the same.
  4. Watch this terminal: the sample DMS program gets its token and calls the provider's API.
  5. Click "Revoke…" at Webfleet and "Forget…" at Mazda: the program has no access any more.
Close the window of DMS Connect to end the demo.
`;

/** Runs until the window of DMS Connect is closed. */
export async function runForPerson(stage: Stage): Promise<void> {
  const { app } = stage;
  console.log(instructions);
  const windowClosed = new Promise<void>((resolve) => app.page.once("close", () => resolve()));
  const ended = Promise.race([windowClosed, app.exited.then(() => undefined)]);
  // Both go on until the app ends, and then fail by design.
  showProviderPages(stage).catch(() => undefined);
  runPrograms(stage).catch(() => undefined);
  await ended;
}

/** Plays the system's browser: the pages need one that accepts the stand-ins' certificates. */
async function showProviderPages({ app, browser }: Stage): Promise<void> {
  for (;;) {
    const url = await app.nextOpenedUrl();
    // A page that the person closes while it loads is no reason to stop.
    await browser.open(url).catch(() => undefined);
  }
}

/** The second program starts when the first has paired, and uses its credentials. */
async function runPrograms(stage: Stage): Promise<void> {
  const mazda = startWatching(stage, mazdaUser);
  await mazda.printed(/^Paired\.$/m);
  startWatching(stage, webfleetUser);
}

function startWatching(stage: Stage, user: DealerUser): SampleProgram {
  return stage.program(user, { watch: true, onLine: (line) => console.log(`[sample DMS, ${user.providerName}] ${line}`) });
}
