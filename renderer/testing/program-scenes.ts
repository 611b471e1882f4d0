/** Every state of the pairing prompt, of the programs' page, and of programs in the audit log worth looking at. */
import type { Page } from "playwright";
import { goTo, type Scene } from "./scene.ts";

const toPrograms = (page: Page): Promise<void> => goTo(page, "DMS programs");

export const programScenes: readonly Scene[] = [
  { name: "pairing", scenario: "pairing", arrange: approvable },
  { name: "pairing-silent", scenario: "silentPairing", arrange: approvable },
  { name: "pairing-hostile", scenario: "hostilePairing", arrange: approvable },
  {
    name: "pairing-hostile-path",
    scenario: "hostilePairing",
    arrange: async (page) => {
      await approvable(page);
      await press(page, "Show the whole path");
    },
  },
  {
    name: "pairing-choices",
    scenario: "pairing",
    arrange: async (page) => {
      await page.getByRole("radio", { name: "Only these users" }).check();
      await page.getByRole("radio", { name: "Only these providers" }).check();
      await page.getByRole("radio", { name: "Until a date" }).check();
      await press(page, "Approve");
      await page.getByText("Enter at least one user id").waitFor();
    },
  },
  {
    name: "pairing-block",
    scenario: "pairing",
    arrange: async (page) => {
      await press(page, "Deny and block…");
      await page.getByText("every program with this file").waitFor();
    },
  },
  { name: "pairing-block-by-name", scenario: "silentPairing", arrange: block },
  { name: "pairing-gone", scenario: "gonePairing", arrange: closable },
  { name: "pairing-gone-silent", scenario: "silentGonePairing", arrange: closable },
  { name: "pairing-gone-block", scenario: "gonePairing", arrange: block },
  {
    name: "pairing-gone-block-over",
    scenario: "gonePairing",
    arrange: async (page) => {
      await block(page);
      await page.evaluate(() => window.mock.emit("pairingsChanged", []));
      await page.getByText("No such pairing is waiting.").waitFor();
    },
  },
  { name: "programs", scenario: "active", arrange: toPrograms },
  { name: "programs-varied", scenario: "programs", arrange: toPrograms },
  { name: "programs-empty", scenario: "empty", arrange: toPrograms },
  { name: "programs-forbidden", scenario: "pairingForbidden", arrange: toPrograms },
  { name: "programs-forbidden-empty", scenario: "pairingForbiddenEmpty", arrange: toPrograms },
  { name: "programs-long-names", scenario: "longNames", arrange: toPrograms },
  {
    name: "programs-imported",
    scenario: "active",
    arrange: async (page) => {
      await toPrograms(page);
      await press(page, "Import program file");
      await page.getByText("2 programs were set up.").first().waitFor();
    },
  },
  {
    name: "dialog-change-access",
    scenario: "programs",
    arrange: async (page) => {
      await toPrograms(page);
      await press(page, "Change access…: Fleet Report");
      await press(page, "Advanced");
      await page.getByLabel("Requests a minute").waitFor();
    },
  },
  {
    name: "dialog-change-access-problems",
    scenario: "programs",
    arrange: async (page) => {
      await toPrograms(page);
      await press(page, "Change access…: Holiday Cover");
      await press(page, "Advanced");
      await page.getByLabel("Requests a minute").fill("6.000");
      await press(page, "Save");
      await page.getByText("Enter a whole number").waitFor();
    },
  },
  {
    name: "dialog-remove-program",
    scenario: "active",
    arrange: async (page) => {
      await toPrograms(page);
      await press(page, "Remove…: Great DMS");
    },
  },
  {
    name: "dialog-unblock",
    scenario: "programs",
    arrange: async (page) => {
      await toPrograms(page);
      await press(page, "Unblock…: Free Car Prices");
    },
  },
  { name: "audit-impostors", scenario: "auditImpostors", arrange: (page) => goTo(page, "Audit log") },
];

/** The prompt as it is once its buttons can be clicked; so also below. */
async function approvable(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Approve", disabled: false }).waitFor();
}

async function closable(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Close", disabled: false }).waitFor();
}

async function block(page: Page): Promise<void> {
  await press(page, "Deny and block…");
  await page.getByRole("button", { name: "Go back" }).waitFor();
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name }).first().click();
}
