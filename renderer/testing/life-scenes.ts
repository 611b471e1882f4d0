/** What a dealer sees of connections over the months: everything worth looking at. */
import type { Page } from "playwright";
import type { WindowTarget } from "../../shared/views.ts";
import { goTo, type Scene } from "./scene.ts";

export const lifeScenes: readonly Scene[] = [
  { name: "life-estimates", scenario: "estimates", arrange: (page) => see(page, "must sign in again before") },
  { name: "life-need-you", scenario: "needYou", arrange: (page) => see(page, "2 connections need you.") },
  { name: "life-paused", scenario: "paused", arrange: (page) => see(page, "has had problems since") },
  { name: "life-offline", scenario: "offline", arrange: (page) => see(page, "This computer has no connection") },
  { name: "life-target", scenario: "target", arrange: (page) => page.locator(":focus[data-testid]").waitFor() },
  {
    name: "life-asked-while-typing",
    scenario: "active",
    arrange: async (page) => {
      await goTo(page, "Settings");
      await page.getByLabel("Usual user id").fill("mary");
      await ask(page, { page: "programs" });
      await see(page, "was asked to show another page");
    },
  },
  {
    name: "life-asked-while-in-dialog",
    scenario: "leaving",
    arrange: async (page) => {
      await chooseLeaver(page);
      await ask(page, { page: "connections", connectionId: "webfleet/production/mary" });
      await see(page, "was asked to show a connection");
    },
  },
  { name: "life-revoked", scenario: "active", arrange: revoke },
  {
    name: "life-revoked-pending",
    scenario: "active",
    arrange: async (page) => {
      await revoke(page);
      await page.evaluate(() => {
        const webfleet = window.mock.scenario.connections[1];
        if (webfleet !== undefined) window.mock.emit("connectionChanged", { ...webfleet, state: "Revoking" });
      });
      await see(page, "Access ended here");
    },
  },
  { name: "life-leaving", scenario: "leaving", arrange: openLeaving },
  { name: "life-leaving-preview", scenario: "leaving", arrange: chooseLeaver },
  {
    name: "life-leaving-missing",
    scenario: "leaving",
    arrange: async (page) => {
      await openLeaving(page);
      await press(page, "End connections");
      await page.getByRole("alert").getByText("Choose a user.").waitFor();
    },
  },
  {
    name: "life-leaving-result",
    scenario: "leaving",
    arrange: async (page) => {
      await chooseLeaver(page);
      await press(page, "End 4 connections");
      await see(page, "This happened:");
    },
  },
  { name: "notices-network", scenario: "networkNotices", arrange: (page) => see(page, "This network wants you to sign in") },
  { name: "notices-proxy-in-row", scenario: "proxyInRow", arrange: (page) => see(page, "wants a user name and a password") },
  { name: "notices-wrong-clock", scenario: "wrongClock", arrange: (page) => see(page, "in 43 minutes") },
  {
    name: "dialog-proxy-problems",
    scenario: "networkNotices",
    arrange: async (page) => {
      await press(page, "Sign in to the proxy…");
      await press(page, "Sign in");
      await see(page, "Enter the password.");
    },
  },
  {
    name: "notices-proxy-saved",
    scenario: "networkNotices",
    arrange: async (page) => {
      await press(page, "Sign in to the proxy…");
      await page.getByRole("textbox", { name: "User name" }).fill("dealer\\john");
      await page.getByLabel(/^Password/).fill("secret");
      await press(page, "Sign in");
      await see(page, "DMS Connect tries again.");
    },
  },
  { name: "settings-filled", scenario: "settingsFilled", arrange: (page) => goTo(page, "Settings") },
  {
    name: "settings-problems",
    scenario: "active",
    arrange: async (page) => {
      await goTo(page, "Settings");
      await page.getByLabel("From").fill("18:00");
      await page
        .locator("form", { has: page.getByLabel("From") })
        .getByRole("button", { name: "Save" })
        .click();
      await press(page, "Add");
      await see(page, "Enter both times, or none.");
    },
  },
];

async function see(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
}

async function ask(page: Page, target: WindowTarget): Promise<void> {
  await page.evaluate((target) => window.mock.emit("windowTargetChanged", target), target);
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).first().click();
}

async function revoke(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Revoke…: Webfleet" }).click();
  await press(page, "Revoke");
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await page.evaluate(() => {
    const webfleet = window.mock.scenario.connections[1];
    if (webfleet !== undefined) window.mock.emit("connectionChanged", { ...webfleet, state: "Forgotten" });
  });
  await see(page, "Revoked: Webfleet, johndoe.");
}

async function openLeaving(page: Page): Promise<void> {
  await press(page, "End all connections of a user…");
  await page.getByRole("dialog").waitFor();
}

async function chooseLeaver(page: Page): Promise<void> {
  await openLeaving(page);
  await page.getByRole("dialog").getByLabel("User id").selectOption("mmd10030.johndoe");
  await see(page, "This will happen:");
}
