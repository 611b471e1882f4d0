/** A vault that a disk or a person has damaged or replaced: what can be saved is there again, and the window says what happened. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { AppUnderTest } from "../hosts/launch.ts";
import { answerPairing, connectionRow, reconnect, waitForState } from "../support/app-window.ts";
import { type Dealer, expect, test } from "../support/dealer-test.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { mazdaUser, webfleetUser } from "../support/test-dealer.ts";
import { backupsIn, backupWaitMs, copyVault, emptyVault, filesIn, flipBitOf } from "../support/vault-files.ts";

test("an emptied vault is restored from its backup: both connections are there, and a paired program gets a token", async ({
  dealer,
  app,
}) => {
  const { profile } = dealer.workplace;
  await connectBoth(dealer, app);
  await pairSampleProgram(dealer, app);
  expect(await app.close()).toBe(0);
  const [backup] = await runUntilBackup(dealer);
  emptyVault(profile);

  const again = await dealer.launch("none");
  const [aside] = filesIn(profile).filter((name) => /^vault\.damaged-\d{8}-\d{6}\.sqlite$/.test(name));
  await expect(
    again.page.getByText(`The vault file was damaged. It was set aside as ${aside}. Connections that were kept: 2.`),
  ).toBeVisible();
  // A day and a time as people write them.
  await expect(again.page.getByText(/^The vault was restored from its backup of [A-Za-z0-9 ,]+ \d{4}, \d+:\d\d( [AP]M)?\.$/)).toBeVisible();
  // A token may have been renewed after the backup; so these are used only as long as that does no harm.
  for (const user of [mazdaUser, webfleetUser]) await waitForState(again.page, user, "Checking");
  expect(await dealer.program(mazdaUser).ended).toBe(0);
  expect(await dealer.program(webfleetUser).ended).toBe(0);
  expect(filesIn(profile)).toContain(backup);
});

test("a flipped bit costs one connection its sign-in and leaves the others alone", async ({ dealer, app, person }) => {
  const { profile } = dealer.workplace;
  await connectBoth(dealer, app);
  expect(await app.close()).toBe(0);
  // A slow computer may have taken one already, from which the record would be restored.
  for (const backup of backupsIn(profile)) rmSync(join(profile, backup));
  flipBitOf(profile, mazdaUser);

  const again = await dealer.launch("none");
  await waitForState(again.page, mazdaUser, "Sign-in needed");
  await waitForState(again.page, webfleetUser, "Connected");
  await reconnect(again.page, mazdaUser);
  await person.decide(await again.nextOpenedUrl(), "Approve");
  await waitForState(again.page, mazdaUser, "Connected");
});

test("a flipped bit costs nothing where a backup has the same record", async ({ dealer, app }) => {
  const { profile } = dealer.workplace;
  await dealer.connect(app, mazdaUser);
  expect(await app.close()).toBe(0);
  await runUntilBackup(dealer);
  flipBitOf(profile, mazdaUser);

  const again = await dealer.launch("none");
  await expect(again.page.getByText("A damaged entry of the vault was restored from a backup.")).toBeVisible();
  await waitForState(again.page, mazdaUser, "Connected");
});

test("an older vault that was put back is noticed, and its tokens are not trusted to be the newest", async ({ dealer, app }) => {
  const { folder, profile } = dealer.workplace;
  await dealer.connect(app, mazdaUser);
  expect(await app.close()).toBe(0);
  const old = copyVault(profile, join(folder, "put-away.sqlite"));
  const later = await dealer.launch("none");
  await dealer.connect(later, webfleetUser);
  expect(await later.close()).toBe(0);
  old.putBack();

  const again = await dealer.launch("none");
  await expect(again.page.getByText("The vault is an older copy than the one that was used last.")).toBeVisible();
  await waitForState(again.page, mazdaUser, "Checking");
  await expect(connectionRow(again.page, webfleetUser)).toHaveCount(0);
  expect(await again.close()).toBe(0);

  // Told once: from here on it is the newest there is.
  const third = await dealer.launch("none");
  await waitForState(third.page, mazdaUser, "Checking");
  await expect(third.page.getByText("The vault is an older copy")).toHaveCount(0);
});

async function connectBoth(dealer: Dealer, app: AppUnderTest): Promise<void> {
  await dealer.connect(app, mazdaUser);
  await dealer.connect(app, webfleetUser);
}

async function pairSampleProgram(dealer: Dealer, app: AppUnderTest): Promise<void> {
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(app.page, "Approve");
  expect(await program.ended).toBe(0);
}

/** Starts the app on a vault that nothing is changed in, which it backs up soon after, and quits it again. Gives the backups. */
async function runUntilBackup(dealer: Dealer): Promise<readonly string[]> {
  const { profile } = dealer.workplace;
  // On a slow computer one was taken before everything was there.
  for (const earlier of backupsIn(profile)) rmSync(join(profile, earlier));
  const app = await dealer.launch("none");
  await expect.poll(() => backupsIn(profile), { timeout: backupWaitMs }).toHaveLength(1);
  expect(await app.close()).toBe(0);
  return backupsIn(profile);
}
