/** What a person does about the vault in the app's window: on the page for a locked one, and in the settings. */
import type { Locator, Page } from "playwright";
import { goTo } from "./app-window.ts";

/** Waits for the page that a locked vault shows instead of the connections. */
export async function waitForRecoveryPage(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1, name: "Vault recovery" }).waitFor();
}

/** The ways on from a locked vault, numbered as on the page. */
export function waysOn(page: Page): Promise<readonly string[]> {
  return page.getByRole("list", { name: "What you can do" }).getByRole("heading").allTextContents();
}

/** Types the passphrase of a locked vault; whether it opens is for the caller to see. */
export async function enterPassphrase(page: Page, passphrase: string): Promise<void> {
  await page.getByLabel(/^Passphrase of the vault/).fill(passphrase);
  await page.getByRole("button", { name: "Open the vault" }).click();
}

/** Starts a new vault, with the question answered. */
export async function startNewVault(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start a new vault…" }).click();
  const question = page.getByRole("alertdialog", { name: "Start a new vault?" });
  await question.getByRole("button", { name: "Start a new vault" }).click();
  await question.waitFor({ state: "detached" });
}

/** Makes a vault under a passphrase where this computer has no safe place for its key. */
export async function choosePassphrase(page: Page, passphrase: string): Promise<void> {
  await page.getByRole("button", { name: "Choose a passphrase…" }).click();
  const dialog = page.getByRole("dialog", { name: "Choose a passphrase" });
  await makeUpPassphrase(dialog, passphrase);
  await confirm(dialog, "Make the vault");
}

/** Sets the recovery passphrase in the settings. */
export async function setPassphrase(page: Page, passphrase: string): Promise<void> {
  await goTo(page, "Settings");
  await page.getByRole("button", { name: "Set a passphrase…" }).click();
  const dialog = page.getByRole("dialog", { name: "Set a recovery passphrase" });
  await makeUpPassphrase(dialog, passphrase);
  await confirm(dialog, "Set the passphrase");
  await page.getByText("The passphrase is set.").waitFor();
}

/** Gives the vault a new key in the settings; a vault with a passphrase needs it. */
export async function changeKey(page: Page, passphrase?: string): Promise<void> {
  await goTo(page, "Settings");
  await page.getByRole("button", { name: "Change the vault's key…" }).click();
  const dialog = page.getByRole("dialog", { name: "Change the vault's key?" });
  if (passphrase !== undefined) await dialog.getByLabel(/^Passphrase of the vault/).fill(passphrase);
  await confirm(dialog, "Change the key");
  await page.getByText("The vault has a new key.").waitFor();
}

/** Exports in the settings; where to is what the file dialog answers. */
export async function exportVault(page: Page, options: { readonly passphrase: string; readonly includeSignIns: boolean }): Promise<void> {
  await goTo(page, "Settings");
  await page.getByRole("button", { name: "Export…" }).click();
  const dialog = page.getByRole("dialog", { name: "Export to a file" });
  await makeUpPassphrase(dialog, options.passphrase);
  if (options.includeSignIns) await dialog.getByRole("checkbox", { name: "Include sign-ins" }).check();
  await confirm(dialog, "Choose where to save…");
  await page.getByText("The file was saved.").waitFor();
}

/** Opens the import's dialog in the settings and sends the passphrase; the file is what the file dialog answers. */
export async function startImport(page: Page, passphrase: string): Promise<Locator> {
  await goTo(page, "Settings");
  await page.getByRole("button", { name: "Import…" }).click();
  const dialog = page.getByRole("dialog", { name: "Import from a file" });
  await dialog.getByLabel(/^Passphrase of the file/).fill(passphrase);
  await dialog.getByRole("button", { name: "Choose the file…" }).click();
  return dialog;
}

async function makeUpPassphrase(dialog: Locator, passphrase: string): Promise<void> {
  // A required field's label ends with a star.
  await dialog.getByLabel(/^Passphrase\*?$/).fill(passphrase);
  await dialog.getByLabel(/^Passphrase again/).fill(passphrase);
}

async function confirm(dialog: Locator, label: string): Promise<void> {
  await dialog.getByRole("button", { name: label }).click();
  await dialog.waitFor({ state: "detached" });
}
