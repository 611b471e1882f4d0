/** What happens to a connection after its sign-in. */

import type { AppUnderTest } from "../hosts/launch.ts";
import { answerPairing, connectionRow, pairingPrompt, reconnect, waitForState } from "../support/app-window.ts";
import { type Dealer, expect, test } from "../support/dealer-test.ts";
import { selector, withSession } from "../support/program-session.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { mazdaUser, webfleetUser } from "../support/test-dealer.ts";

test("a provider that is down does not disconnect anybody", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  dealer.mazda.behaviour.tokenDown = 503;
  const refused = await rejectMazdaToken(dealer);
  expect(refused).toMatchObject({ ok: false, error: { code: "provider_unavailable", retryable: true } });
  await waitForState(app.page, mazdaUser, "Trying again");

  // The grant is kept: nobody has to sign in again.
  await withSession(dealer.workplace, async (client) => {
    expect(await client.connectionGet(selector(mazdaUser))).toMatchObject({ ok: true, value: { state: "Retrying" } });
  });
  dealer.mazda.behaviour.tokenDown = null;
  await waitForState(app.page, mazdaUser, "Connected");
});

test("a grant that ended at the provider asks for one click, and Reconnect mends it", async ({ dealer, app, person }) => {
  await connectAndPair(dealer, app);
  dealer.mazda.revokeAll();
  const refused = await rejectMazdaToken(dealer);
  expect(refused).toMatchObject({ ok: false, error: { code: "reconnect_required" } });
  await waitForState(app.page, mazdaUser, "Sign-in needed");
  await expect(connectionRow(app.page, mazdaUser).getByText("Mazda no longer accepts this connection.")).toBeVisible();

  await reconnect(app.page, mazdaUser);
  await person.decide(await app.nextOpenedUrl(), "Approve");
  await waitForState(app.page, mazdaUser, "Connected");
  expect(await dealer.program(mazdaUser).ended).toBe(0);
});

test("a program that was denied gets nothing", async ({ dealer, app }) => {
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await pairingPrompt(app.page).waitFor();
  await answerPairing(app.page, "Deny");
  expect(await program.ended).toBe(1);
  expect(program.output()).toContain("pairing_denied");
});

test("a restart keeps connections, registrations and programs", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  await dealer.connect(app, webfleetUser);
  expect(await app.close()).toBe(0);

  const again = await dealer.launch("none");
  for (const user of [mazdaUser, webfleetUser]) await waitForState(again.page, user, "Connected");
  expect(await dealer.program(mazdaUser).ended).toBe(0);
  expect(await dealer.program(webfleetUser).ended).toBe(0);
});

test("a power cut keeps connections and programs", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  await app.kill();
  const again = await dealer.launch("none");
  await waitForState(again.page, mazdaUser, "Connected");
  expect(await dealer.program(mazdaUser).ended).toBe(0);
});

/** Mazda is connected, and the sample program paired. */
async function connectAndPair(dealer: Dealer, app: AppUnderTest): Promise<void> {
  await dealer.connect(app, mazdaUser);
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(app.page, "Approve");
  expect(await program.ended).toBe(0);
}

/** Reports the current token as refused by the API, which makes the broker renew it. */
function rejectMazdaToken(dealer: Dealer): Promise<unknown> {
  return withSession(dealer.workplace, async (client) => {
    const token = await client.tokenGet(selector(mazdaUser));
    if (!token.ok) throw new Error(`no token: ${token.error.code}`);
    return client.tokenRejected({ ...selector(mazdaUser), tokenId: token.value.tokenId });
  });
}
