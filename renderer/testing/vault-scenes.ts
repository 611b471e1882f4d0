/** Every page, dialog and message of the vault worth looking at. */
import type { Page } from "playwright";
import { goTo, type Scene } from "./scene.ts";

const passphrase = "five random words here";

export const vaultScenes: readonly Scene[] = [
  { name: "recovery", scenario: "locked", arrange: (page) => page.getByText("Why the vault did not open").waitFor() },
  { name: "recovery-denied", scenario: "lockedDenied", arrange: (page) => page.getByText("was not allowed").waitFor() },
  { name: "recovery-no-safe-place", scenario: "lockedNoSafePlace", arrange: (page) => page.getByText("has no safe place").waitFor() },
  { name: "recovery-in-use", scenario: "lockedInUse", arrange: (page) => page.getByText("open in another program").waitFor() },
  { name: "recovery-settings", scenario: "locked", arrange: (page) => goTo(page, "Settings") },
  {
    name: "recovery-passphrase-needed",
    scenario: "lockedPassphraseNeeded",
    arrange: async (page) => {
      await press(page, "Open the vault");
      await page.getByText("Enter the passphrase.").waitFor();
    },
  },
  {
    name: "dialog-choose-passphrase",
    scenario: "lockedNoSafePlace",
    arrange: async (page) => {
      await press(page, "Choose a passphrase…");
      await page.getByLabel(/^Passphrase again/).waitFor();
    },
  },
  { name: "dialog-start-anew", scenario: "lockedDenied", arrange: startAnew },
  { name: "settings-vault", scenario: "passphraseSet", arrange: (page) => goTo(page, "Settings") },
  {
    name: "dialog-passphrase-problems",
    scenario: "active",
    arrange: async (page) => {
      await inSettings(page, "Set a passphrase…");
      await page.getByLabel(/^Passphrase\*?$/).fill("short");
      await press(page, "Show: Passphrase");
      await press(page, "Set the passphrase");
      await page.getByText("This is too short").waitFor();
    },
  },
  { name: "dialog-passphrase-remove", scenario: "passphraseSet", arrange: (page) => inSettings(page, "Remove the passphrase…") },
  { name: "dialog-rekey-passphrase", scenario: "passphraseSet", arrange: (page) => inSettings(page, "Change the vault's key…") },
  {
    name: "dialog-export",
    scenario: "active",
    arrange: async (page) => {
      await inSettings(page, "Export…");
      await page.getByRole("checkbox", { name: "Include sign-ins" }).check();
      await page.getByText("can act as these users").waitFor();
    },
  },
  { name: "dialog-import", scenario: "active", arrange: (page) => inSettings(page, "Import…") },
  {
    name: "settings-imported",
    scenario: "active",
    arrange: async (page) => {
      await inSettings(page, "Import…");
      await page.getByLabel(/^Passphrase of the file/).fill(passphrase);
      await press(page, "Choose the file…");
      await page.getByText("The import is done.").waitFor();
    },
  },
  { name: "vault-notices", scenario: "vaultNotices", arrange: (page) => goTo(page, "DMS programs") },
  { name: "connections-not-stored", scenario: "notStored", arrange: (page) => page.getByText("could not be saved").waitFor() },
];

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

async function startAnew(page: Page): Promise<void> {
  await press(page, "Start a new vault…");
  await page.getByRole("alertdialog").waitFor();
}

/** Opens a dialog from the settings. */
async function inSettings(page: Page, button: string): Promise<void> {
  await goTo(page, "Settings");
  await press(page, button);
  await page.locator("[role=dialog], [role=alertdialog]").waitFor();
}
