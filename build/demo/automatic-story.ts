/** The demo without a person: every click goes through the real window and the real provider pages. */
import { answerPairing, connectionRow, forget, pairingCode, revoke } from "../../e2e/support/app-window.ts";
import { callDemoApi, selector, withSession } from "../../e2e/support/program-session.ts";
import { pairingCodeLine, type SampleProgram } from "../../e2e/support/sample-program.ts";
import { type DealerUser, mazdaUser, organisation, webfleetUser } from "../../e2e/support/test-dealer.ts";
import { connectUser } from "./connect-user.ts";
import { ensure, type Narrator } from "./narrator.ts";
import type { Stage } from "./stage.ts";

/**
 * Plays the whole story and checks each step.
 *
 * @throws StepFailed at the first step that does not end as it should
 */
export async function runAutomaticStory(stage: Stage, { step }: Narrator): Promise<void> {
  const { app, mazda, webfleet } = stage;
  for (const user of [mazdaUser, webfleetUser]) {
    await step(`connect ${user.providerName} as ${user.user}`, () => connectUser(stage, user));
  }
  await step("the sample DMS program pairs and calls the Mazda API", () => pairAndCall(stage));
  await step("the sample DMS program calls the Webfleet API", () => expectCall(stage.program(webfleetUser)));
  await step(`the APIs saw the users, and the organisation ${organisation}`, () => checkEchoes(stage));

  await step("a token that Mazda refuses is renewed", async () => {
    const before = await refreshes(stage);
    await mazda.command("expireAccessTokens");
    const program = stage.program(mazdaUser);
    await expectCall(program);
    ensure(program.output().includes("Status: 401"), "the API did not refuse the expired token");
    ensure((await refreshes(stage)) > before, "Mazda counted no renewal");
  });
  await step("revoke Webfleet in the window", async () => {
    await revoke(app.page, webfleetUser);
    await connectionRow(app.page, webfleetUser).waitFor({ state: "detached" });
    ensure(Number(fieldOf(await webfleet.command("counters"), "revocations")) > 0, "Webfleet was told nothing");
  });
  await step("forget Mazda in the window", async () => {
    await forget(app.page, mazdaUser);
    await connectionRow(app.page, mazdaUser).waitFor({ state: "detached" });
  });
  for (const user of [mazdaUser, webfleetUser]) {
    await step(`the program is told that ${user.user} is not connected to ${user.providerName}`, () => expectNotConnected(stage, user));
  }
}

async function pairAndCall(stage: Stage): Promise<void> {
  const program = stage.program(mazdaUser);
  const [, printed] = await program.printed(pairingCodeLine);
  const shown = await pairingCode(stage.app.page);
  ensure(shown === printed, "the window shows another pairing code than the program");
  await answerPairing(stage.app.page, "Approve");
  await expectCall(program);
  ensure(program.output().includes(`X-mazda-org: ${organisation}`), "the program was given no X-mazda-org header");
}

async function expectCall(program: SampleProgram): Promise<void> {
  const status = await program.ended;
  const lastLine = program.output().trim().split("\n").at(-1) ?? "";
  ensure(status === 0 && lastLine === "Status: 200", `the sample program said: ${lastLine}`);
}

function checkEchoes(stage: Stage): Promise<void> {
  return withSession(stage.workplace, async (client) => {
    for (const user of [mazdaUser, webfleetUser]) {
      const { status, body } = await callDemoApi(client, stage.origins, user, stage.mazdaCertificatePem);
      ensure(status === 200, `the ${user.providerName} API answered ${status}`);
      ensure(fieldOf(body, "user") === user.user, `the ${user.providerName} API saw another user`);
      if (user === mazdaUser) ensure(fieldOf(body, "organisation") === organisation, "the Mazda API saw another organisation");
    }
  });
}

async function refreshes(stage: Stage): Promise<number> {
  return Number(fieldOf(await stage.mazda.command("counters"), "refreshes"));
}

async function expectNotConnected(stage: Stage, user: DealerUser): Promise<void> {
  const program = stage.program(user);
  const status = await program.ended;
  ensure(status === 1 && program.output().includes("[not_connected, "), "the sample program still got a token");
  const answer = await withSession(stage.workplace, (client) => client.tokenGet(selector(user)));
  ensure(!answer.ok && answer.error.code === "not_connected", "the broker still gives a token");
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
