/** The app's own life: starting without a window, links, closing, quitting, sleeping, and calling for somebody. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright";
import { connectionId } from "../../shared/views.ts";
import type { AppUnderTest } from "../hosts/launch.ts";
import { answerPairing, connectionRow, goTo, reconnect, waitForState } from "../support/app-window.ts";
import { type Dealer, expect, test } from "../support/dealer-test.ts";
import { selector, withSession } from "../support/program-session.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { mazdaUser, otherMazdaUser } from "../support/test-dealer.ts";

const staysTitle = "DMS Connect keeps running in the background";
const signInTitle = `${mazdaUser.user} has to sign in to Mazda again`;
const rowLink = `dms-connect://connections/${connectionId(mazdaUser)}`;

test("a hidden start serves programs, and a second start opens the window", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  expect(await app.close()).toBe(0);
  const hidden = await dealer.launchHidden();
  await expect.poll(() => logOf(dealer).split('"event":"started"')).toHaveLength(3);
  expect(await hidden.windowCount()).toBe(0);
  expect(await dealer.program(mazdaUser).ended).toBe(0);
  const opened = hidden.nextWindow();
  await dealer.startAgain();
  await waitForState(await opened, mazdaUser, "Connected");
  expect(await hidden.windowCount()).toBe(1);
});

test("a link opens its page: of the open window, of a new one, at the very start", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  const { page } = app;
  await test.step("the open window goes there", async () => {
    await dealer.startAgain("dms-connect://settings");
    await heading(page, "Settings");
    await dealer.startAgain("dms-connect://programs/");
    await heading(page, "DMS programs");
    await dealer.startAgain(rowLink);
    await expect(connectionRow(page, mazdaUser)).toBeFocused();
  });
  await test.step("a second start without a link leaves it there", async () => {
    await goTo(page, "Settings");
    await dealer.startAgain();
    await dealer.startAgain("--hidden");
    await heading(page, "Settings");
  });
  await test.step("a closed window opens there, and where it was the time after", async () => {
    await page.close();
    const linked = app.nextWindow();
    await dealer.startAgain("dms-connect://settings");
    await heading(await linked, "Settings");
    await (await linked).close();
    const usual = app.nextWindow();
    await dealer.startAgain();
    await heading(await usual, "Connections");
  });
  await test.step("the first start opens there, even if it should be hidden", async () => {
    expect(await app.close()).toBe(0);
    const linked = await dealer.launch("none", { args: ["--hidden", "dms-connect://programs"] });
    await heading(linked.page, "DMS programs");
  });
});

test("a hostile link does nothing but open the window", async ({ dealer }) => {
  const { registrationFile } = dealer.workplace;
  const marker = "hostile-4f1d";
  const option = `--import-registrations=${registrationFile}`;
  const hostile = [`dms-connect://settings?${marker}`, `dms-connect://connections/../../${marker}`, `DMS-CONNECT:${marker}`];
  const first = await dealer.launch("none", { args: [hostile[0] ?? "", option] });
  const { page } = first;
  await heading(page, "Connections");
  for (const link of hostile) await dealer.startAgain(link, option);
  // A good link arrives after the others: whatever they did has been done by then.
  await dealer.startAgain("dms-connect://settings");
  await heading(page, "Settings");
  await goTo(page, "Connections");
  // Nothing was imported.
  await expect(page.getByRole("button", { name: "Go to Set-up" })).toBeVisible();
  expect(logOf(dealer)).not.toContain(marker);
  expect(await page.content()).not.toContain(marker);
});

test("closing the window goes on serving programs, which is told once; the tray opens and ends the app", async ({ dealer, app }) => {
  test.skip(app.hostName === "electron", "real Electron shows its tray to no test");
  await connectAndPair(dealer, app);
  await app.page.close();
  await served(dealer);
  await expect.poll(() => app.shownNotifications()).toContain(staysTitle);
  const opened = app.nextWindow();
  await app.clickNotification(staysTitle);
  await waitForState(await opened, mazdaUser, "Connected");

  await (await opened).close();
  const again = app.nextWindow();
  await app.chooseFromTray("Open DMS Connect");
  await waitForState(await again, mazdaUser, "Connected");
  expect(app.notifications()?.filter((text) => text.startsWith(staysTitle))).toHaveLength(1);
  await app.chooseFromTray("Quit");
  expect(await app.exited).toBe(0);
});

test("quitting during a renewal whose answer is lost keeps the connection, and the old token while it lasts", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  const before = await served(dealer);
  const hold = dealer.mazda.tokenEndpoint.hold("after-processing");
  const rejected = rejectToken(dealer);
  await hold.arrived;
  expect(await app.close()).toBe(0);
  expect(await rejected).toMatchObject({ ok: false });
  hold.resume();

  const again = await dealer.launch("none");
  await withSession(dealer.workplace, async (client) => {
    const kept = await client.connectionGet(selector(mazdaUser));
    expect(kept).toMatchObject({ ok: true, value: { state: "InDoubt" } });
    const token = await client.tokenGet(selector(mazdaUser));
    expect(token.ok && token.value.tokenId).toBe(before);
  });
  expect(await again.close()).toBe(0);
});

test("the computer's shutdown ends the app in order", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  await app.emitPowerEvent("shutdown");
  expect(await app.exited).toBe(0);
  const again = await dealer.launch("none");
  await waitForState(again.page, mazdaUser, "Connected");
  await goTo(again.page, "Settings");
  await expect(again.page.getByText("There is nothing to report.")).toBeVisible();
});

test("after a sleep tokens are served and renewed as before", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  const before = await served(dealer);
  await app.emitPowerEvent("suspend");
  await app.emitPowerEvent("resume");
  expect(await served(dealer)).toBe(before);
  const renewed = await rejectToken(dealer);
  expect(renewed).toMatchObject({ ok: true });
  expect(await served(dealer)).not.toBe(before);
  await waitForState(app.page, mazdaUser, "Connected");
});

test("a connection that has ended calls for somebody, and a click leads to it", async ({ dealer, app, person }) => {
  test.skip(app.hostName === "electron", "real Electron shows its notifications to no test");
  await connectAndPair(dealer, app);
  await app.page.close();
  dealer.mazda.revokeAll();
  expect(await rejectToken(dealer)).toMatchObject({ ok: false, error: { code: "reconnect_required" } });
  await expect.poll(() => app.shownNotifications()).toContain(signInTitle);
  await expect.poll(() => app.tray()).toMatchObject({ tooltip: "DMS Connect: 1 connection needs you" });
  expect(app.tray()?.menu[0]).toBe("1 connection needs you");

  const opened = app.nextWindow();
  await app.clickNotification(signInTitle);
  const page = await opened;
  await expect(connectionRow(page, mazdaUser)).toBeFocused();
  await reconnect(page, mazdaUser);
  await person.decide(await app.nextOpenedUrl(), "Approve");
  await waitForState(page, mazdaUser, "Connected");
  await expect.poll(() => app.tray()).toMatchObject({ tooltip: "DMS Connect", menu: ["Open DMS Connect", "Quit"] });
  expect(app.notifications()?.filter((text) => text.startsWith(signInTitle))).toHaveLength(1);
});

test("a program that starts a sign-in has the window opened on the row", async ({ dealer, app }) => {
  await connectAndPair(dealer, app);
  await app.page.close();
  const opened = app.nextWindow();
  await withSession(dealer.workplace, async (client) => {
    expect(await client.connectStart(selector(otherMazdaUser))).toMatchObject({ ok: true });
  });
  await expect(connectionRow(await opened, otherMazdaUser)).toBeFocused();
});

test("starting at login is chosen in the window, unless the policy has decided", async ({ dealer }) => {
  test.skip(process.platform !== "linux", "only on Linux is it a file that a test can look at");
  const config = join(dealer.workplace.folder, "config");
  const file = join(config, "autostart/dms-connect.desktop");
  const env = { XDG_CONFIG_HOME: config };
  const startAtLogin = (page: Page) => page.getByRole("checkbox", { name: "Start DMS Connect when I sign in to this computer" });
  await test.step("chosen, it is an entry of the desktop", async () => {
    const { page, close } = await dealer.launch("none", { env });
    await goTo(page, "Settings");
    await startAtLogin(page).check();
    await expect.poll(() => existsSync(file)).toBe(true);
    expect(readFileSync(file, "utf8")).toMatch(/^Exec=.* --hidden$/m);
    await startAtLogin(page).uncheck();
    await expect.poll(() => existsSync(file)).toBe(false);
    expect(await close()).toBe(0);
  });
  await test.step("ruled, it is done at the start and cannot be changed", async () => {
    const { page } = await dealer.launch("none", { env, policy: { version: 1, startAtLogin: true } });
    await goTo(page, "Settings");
    await expect(startAtLogin(page)).toBeChecked();
    await expect(startAtLogin(page)).toBeDisabled();
    expect(existsSync(file)).toBe(true);
  });
});

/** Mazda is connected, and the sample program paired. */
async function connectAndPair(dealer: Dealer, app: AppUnderTest): Promise<void> {
  await dealer.connect(app, mazdaUser);
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(app.page, "Approve");
  expect(await program.ended).toBe(0);
}

/** Waits until the broker serves Mazda's token; the id of that token. */
async function served(dealer: Dealer): Promise<string> {
  let tokenId = "";
  const ask = () =>
    withSession(dealer.workplace, async (client) => {
      const token = await client.tokenGet(selector(mazdaUser));
      if (token.ok) tokenId = token.value.tokenId;
      return token.ok;
    }).catch(() => false);
  await expect.poll(ask).toBe(true);
  return tokenId;
}

/** Reports the current token as refused by the API, which makes the broker renew it. */
function rejectToken(dealer: Dealer): Promise<unknown> {
  return withSession(dealer.workplace, async (client) => {
    const token = await client.tokenGet(selector(mazdaUser));
    if (!token.ok) throw new Error(`no token: ${token.error.code}`);
    return client.tokenRejected({ ...selector(mazdaUser), tokenId: token.value.tokenId });
  });
}

function logOf({ workplace }: Dealer): string {
  return readFileSync(join(workplace.profile, "dms-connect.log"), "utf8");
}

async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}
