/** A dealer gets a new computer: what was set up goes there in one file, with or without the sign-ins. */
import { join } from "node:path";
import type { AppUnderTest } from "../hosts/launch.ts";
import { answerPairing, goTo, reconnect, waitForState } from "../support/app-window.ts";
import { type Dealer, expect, test } from "../support/dealer-test.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { mazdaUser, webfleetUser } from "../support/test-dealer.ts";
import { exportVault, startImport } from "../support/vault-window.ts";
import type { Workplace } from "../support/workplace.ts";

const passphrase = "five words for a file ä";

test("a file without sign-ins brings everything but them: each user reconnects once on the new computer", async ({
  dealer,
  app,
  person,
}) => {
  const file = await exportBoth(dealer, app, false);
  const { app: newApp } = await startNewComputer(dealer);
  const { page } = newApp;
  await newApp.setDialogAnswer(file);
  const dialog = await startImport(page, `${passphrase}!`);
  await expect(dialog.getByText("This passphrase is not the right one.")).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await takeIn(newApp);
  await expect(page.getByText("2 connections need Reconnect.")).toBeVisible();
  await goTo(page, "Connections");
  for (const user of [mazdaUser, webfleetUser]) {
    await waitForState(page, user, "Sign-in needed");
    await expect(page.getByText("This connection was moved here from another computer, without its sign-in.").first()).toBeVisible();
    await reconnect(page, user);
    await person.decide(await newApp.nextOpenedUrl(), "Approve");
    await waitForState(page, user, "Connected");
  }
});

test("a file with sign-ins lets the new computer go on where the old one stopped", async ({ dealer, app }) => {
  const file = await exportBoth(dealer, app, true);
  expect(await app.close()).toBe(0);
  const { app: newApp, workplace } = await startNewComputer(dealer);
  const { page } = newApp;
  await newApp.setDialogAnswer(file);
  await takeIn(newApp);
  await expect(page.getByText("2 connections came with their sign-in and can be used now.")).toBeVisible();
  await goTo(page, "Connections");
  for (const user of [mazdaUser, webfleetUser]) await waitForState(page, user, "Connected");
  const before = dealer.mazda.counters().refreshes;
  // Neither the access token nor, once that is refused, the refresh token stayed behind.
  dealer.mazda.expireAccessTokens();
  const program = dealer.program(mazdaUser, workplace);
  await program.printed(pairingCodeLine);
  await answerPairing(page, "Approve");
  expect(await program.ended).toBe(0);
  expect(program.output()).toMatch(/Status: 401[\s\S]*Status: 200/);
  expect(dealer.mazda.counters().refreshes).toBe(before + 1);
});

/** Connects both users and exports them. Gives the file. */
async function exportBoth(dealer: Dealer, app: AppUnderTest, includeSignIns: boolean): Promise<string> {
  const file = join(dealer.workplace.folder, "export.json");
  for (const user of [mazdaUser, webfleetUser]) await dealer.connect(app, user);
  await app.setDialogAnswer(file);
  await exportVault(app.page, { passphrase, includeSignIns });
  return file;
}

async function startNewComputer(dealer: Dealer): Promise<{ readonly app: AppUnderTest; readonly workplace: Workplace }> {
  const workplace = await dealer.newWorkplace();
  return { app: await dealer.launch("none", { workplace }), workplace };
}

async function takeIn({ page }: AppUnderTest): Promise<void> {
  const dialog = await startImport(page, passphrase);
  await dialog.waitFor({ state: "detached" });
  await expect(page.getByText("2 registrations were imported.")).toBeVisible();
  await expect(page.getByText("2 connections were imported.")).toBeVisible();
}
