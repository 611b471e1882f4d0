import type { Locator, Page } from "playwright";
import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

const passphrase = "five random words here";

async function openDialog(page: Page, button: string): Promise<Locator> {
  await goTo(page, "Settings");
  await page.getByRole("button", { name: button }).click();
  const dialog = page.locator("[role=dialog], [role=alertdialog]");
  await dialog.waitFor();
  return dialog;
}

async function enterTwice(dialog: Locator): Promise<void> {
  await dialog.getByLabel(/^Passphrase\*?$/).fill(passphrase);
  await dialog.getByLabel(/^Passphrase again/).fill(passphrase);
}

describe.skipIf(browser === undefined)("the vault in the settings", () => {
  const open = useWindow();

  it("says how the vault is doing", async () => {
    const { page } = await open({ scenario: "passphraseSet" });
    await goTo(page, "Settings");
    const facts = await page.getByRole("region", { name: "Vault" }).innerText();
    expect(facts).toMatch(/State\s+Open/);
    expect(facts).toMatch(/Newest backup\s+3 hours ago/);
    expect(facts).toMatch(/Recovery passphrase\s+Set/);
  });

  it("sets a passphrase, and shows the other buttons once it is set", async () => {
    const { page } = await open({ scenario: "active" });
    const dialog = await openDialog(page, "Set a passphrase…");
    await dialog.getByRole("button", { name: "Set the passphrase" }).click();
    await dialog.getByText("Enter the passphrase.").waitFor();
    expect(await callsOf(page, "vault.setPassphrase")).toEqual([]);
    await enterTwice(dialog);
    await dialog.getByRole("button", { name: "Set the passphrase" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "vault.setPassphrase")).toEqual([{ passphrase }]);
    await page.evaluate(() =>
      window.mock.emit("statusChanged", { ...window.mock.scenario.status, vault: { state: "open", hasPassphrase: true } }),
    );
    await page.getByText("The passphrase is set.").waitFor();
    await page.getByRole("button", { name: "Remove the passphrase…" }).waitFor();
  });

  it("keeps the dialog open and says why when main finds the passphrase too weak", async () => {
    const { page } = await open({ scenario: "active" });
    await page.evaluate(
      (error) => window.mock.answer("vault.setPassphrase", { ok: false, error }),
      failure("vault_passphrase_weak", { least: 12 }),
    );
    const dialog = await openDialog(page, "Set a passphrase…");
    await enterTwice(dialog);
    await dialog.getByRole("button", { name: "Set the passphrase" }).click();
    await dialog.getByText("The passphrase is too short: it needs at least 12 characters.").waitFor();
    expect(await dialog.getByLabel(/^Passphrase again/).inputValue()).toBe(passphrase);
  });

  it("hides what is typed until it is asked to show it, and keeps nothing of it when the dialog closes", async () => {
    const { page } = await open({ scenario: "active" });
    const dialog = await openDialog(page, "Set a passphrase…");
    const field = dialog.getByLabel(/^Passphrase\*?$/);
    await field.fill(passphrase);
    expect(await field.getAttribute("type")).toBe("password");
    await dialog.getByRole("button", { name: "Show: Passphrase", exact: true }).click();
    expect(await field.getAttribute("type")).toBe("text");
    expect(await dialog.getByLabel(/^Passphrase again/).getAttribute("type")).toBe("password");
    // A click beside the dialog is no wish to close it.
    await page.mouse.click(5, 5);
    expect(await field.inputValue()).toBe(passphrase);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Set a passphrase…" }).click();
    expect(await field.inputValue()).toBe("");
    expect(await field.getAttribute("type")).toBe("password");
  });

  it("removes the passphrase only after saying what that means", async () => {
    const { page } = await open({ scenario: "passphraseSet" });
    const dialog = await openDialog(page, "Remove the passphrase…");
    await dialog.getByText("If this computer then loses its keys, every user must sign in again.").waitFor();
    expect(await callsOf(page, "vault.removePassphrase")).toEqual([]);
    await dialog.getByRole("button", { name: "Remove the passphrase" }).click();
    await page.getByText("The passphrase was removed.").waitFor();
    expect(await callsOf(page, "vault.removePassphrase")).toHaveLength(1);
  });

  it("changes the key after a question", async () => {
    const { page } = await open({ scenario: "active" });
    const dialog = await openDialog(page, "Change the vault's key…");
    expect(await dialog.locator("input").count()).toBe(0);
    expect(await callsOf(page, "vault.rekey")).toEqual([]);
    await dialog.getByRole("button", { name: "Change the key" }).click();
    await page.getByText("The vault has a new key.").waitFor();
    expect(await callsOf(page, "vault.rekey")).toEqual([{}]);
  });

  it("asks for the passphrase before the key is changed, where there is one", async () => {
    const { page } = await open({ scenario: "passphraseSet" });
    const dialog = await openDialog(page, "Change the vault's key…");
    const confirm = dialog.getByRole("button", { name: "Change the key" });
    await confirm.click();
    await dialog.getByText("Enter the passphrase.").waitFor();
    expect(await callsOf(page, "vault.rekey")).toEqual([]);
    await page.evaluate((error) => window.mock.answer("vault.rekey", { ok: false, error }), failure("vault_passphrase_wrong"));
    await dialog.getByLabel(/^Passphrase of the vault/).fill("another one");
    await confirm.click();
    await dialog.getByText("This passphrase is not the right one.").waitFor();
    expect(await callsOf(page, "vault.rekey")).toEqual([{ passphrase: "another one" }]);
  });

  it("exports without sign-ins unless they are asked for, and warns when they are", async () => {
    const { page } = await open({ scenario: "active" });
    const dialog = await openDialog(page, "Export…");
    const signIns = dialog.getByRole("checkbox", { name: "Include sign-ins" });
    expect(await signIns.isChecked()).toBe(false);
    await enterTwice(dialog);
    await dialog.getByRole("button", { name: "Choose where to save…" }).click();
    await page.getByText("The file was saved.").waitFor();

    await page.getByRole("button", { name: "Export…" }).click();
    expect(await dialog.getByText("can act as these users").count()).toBe(0);
    await signIns.check();
    await dialog.getByText("Whoever has this file and the passphrase can act as these users.").waitFor();
    await enterTwice(dialog);
    await dialog.getByRole("button", { name: "Choose where to save…" }).click();
    await page.getByText("click Forget for each connection here").waitFor();
    expect(await callsOf(page, "vault.export")).toEqual([
      { passphrase, includeSignIns: false },
      { passphrase, includeSignIns: true },
    ]);
  });

  it("leaves the dialog as it was when no file was chosen, and says why a file was not written", async () => {
    const { page } = await open({ scenario: "active" });
    await page.evaluate(() => window.mock.answer("vault.export", { ok: true, value: { saved: false } }));
    const dialog = await openDialog(page, "Export…");
    await enterTwice(dialog);
    const confirm = dialog.getByRole("button", { name: "Choose where to save…" });
    await confirm.click();
    await page.waitForFunction(() => window.mock.calls.some(({ name }) => name === "vault.export"));
    await page.evaluate(
      (error) => window.mock.answer("vault.export", { ok: false, error }),
      failure("file_not_written", { problem: "disk full" }),
    );
    await confirm.click();
    await dialog.getByText("The file could not be written (disk full).").waitFor();
    expect(await dialog.getByLabel(/^Passphrase again/).inputValue()).toBe(passphrase);
  });

  it("says in sentences what an import brought", async () => {
    const { page } = await open({ scenario: "active" });
    const dialog = await openDialog(page, "Import…");
    const confirm = dialog.getByRole("button", { name: "Choose the file…" });
    await confirm.click();
    await dialog.getByText("Enter the passphrase.", { exact: true }).waitFor();
    await dialog.getByLabel(/^Passphrase of the file/).fill(passphrase);
    await confirm.click();
    const sentences = page.getByText("The import is done.").locator("..");
    await sentences.waitFor();
    expect(await sentences.textContent()).toBe(
      "The import is done. 2 registrations were imported. 3 connections were imported. " +
        "1 connection came with its sign-in and can be used now. 2 connections need Reconnect. " +
        "2 entries were skipped, because this computer has them already.",
    );
    expect(await callsOf(page, "vault.import")).toEqual([{ passphrase }]);
  });

  it("says so when an import brought nothing new, and leaves out what did not happen", async () => {
    const { page } = await open({ scenario: "active" });
    await page.evaluate(() =>
      window.mock.answer("vault.import", {
        ok: true,
        value: { cancelled: false, registrations: 0, connections: 0, withSignIn: 0, skipped: 1 },
      }),
    );
    const dialog = await openDialog(page, "Import…");
    await dialog.getByLabel(/^Passphrase of the file/).fill(passphrase);
    await dialog.getByRole("button", { name: "Choose the file…" }).click();
    const sentences = page.getByText("There was nothing new to import.").locator("..");
    await sentences.waitFor();
    expect(await sentences.textContent()).toBe(
      "There was nothing new to import. 1 entry was skipped, because this computer has it already.",
    );
  });

  it("shows why a file was not imported, and goes on when another one is chosen", async () => {
    const { page } = await open({ scenario: "active" });
    await page.evaluate((error) => window.mock.answer("vault.import", { ok: false, error }), failure("vault_transfer_unreadable"));
    const dialog = await openDialog(page, "Import…");
    await dialog.getByLabel(/^Passphrase of the file/).fill(passphrase);
    const confirm = dialog.getByRole("button", { name: "Choose the file…" });
    await confirm.click();
    const message = dialog.getByText("This file is not an export of DMS Connect, or it is damaged.");
    await message.waitFor();
    await page.evaluate(() =>
      window.mock.answer("vault.import", {
        ok: true,
        value: { cancelled: true, registrations: 0, connections: 0, withSignIn: 0, skipped: 0 },
      }),
    );
    await confirm.click();
    await message.waitFor({ state: "detached" });
    expect(await dialog.isVisible()).toBe(true);
  });

  it("leads from a notice to the connections, and shows a dismissed notice only in the settings", async () => {
    const { page } = await open({ scenario: "vaultNotices" });
    await page.getByText("The vault file was damaged.").waitFor();
    // Here they are already.
    expect(await page.getByRole("button", { name: "Show connections" }).count()).toBe(0);
    await goTo(page, "Set-up");
    expect(await page.getByRole("button", { name: "Show connections" }).count()).toBe(3);
    await page.getByRole("button", { name: "Show connections" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
    await page.getByRole("button", { name: "Dismiss this message" }).first().click();
    await page.getByText("The vault file was damaged.").waitFor({ state: "detached" });
    await page.getByText("The vault is an older copy").waitFor();
    await goTo(page, "Settings");
    expect(await page.getByText("The vault file was damaged.").count()).toBe(1);
  });

  it("says at a connection whose sign-in only memory holds that it works, and what to do", async () => {
    const { page } = await open({ scenario: "notStored" });
    const row = page.getByRole("rowgroup", { name: /^Mazda/ });
    await row.getByText("Connected", { exact: true }).waitFor();
    const words = await row.innerText();
    expect(words).toContain("The renewed sign-in of mmd10030.johndoe could not be saved (disk full).");
    expect(words).toContain("It works as long as DMS Connect runs. Make space on the disk.");
    expect(await row.getByRole("button", { name: /Reconnect/ }).count()).toBe(0);
  });
});
