import type { Page } from "playwright";
import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

const passphrase = "five random words here";

/** As main does once the vault is open. */
function openVault(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.mock.answer("connections.list", { ok: true, value: [] });
    window.mock.answer("providers.list", { ok: true, value: [] });
    window.mock.emit("statusChanged", { ...window.mock.scenario.status, vault: { state: "open", hasPassphrase: false } });
  });
}

/** The headings of the ways on, as numbered on the page. */
function waysOn(page: Page): Promise<readonly string[]> {
  return page.getByRole("list", { name: "What you can do" }).getByRole("heading").allTextContents();
}

describe.skipIf(browser === undefined)("a locked vault in the window", () => {
  const open = useWindow();

  it("shows the recovery page first, leaves only the settings besides, and lists again once the vault is open", async () => {
    const { page } = await open({ scenario: "locked" });
    await page.getByRole("heading", { level: 1, name: "Vault recovery" }).waitFor();
    expect(await page.title()).toBe("Vault recovery – DMS Connect");
    expect(await page.getByRole("navigation").getByRole("button").allTextContents()).toEqual(["Vault recovery", "Settings"]);
    await goTo(page, "Settings");
    await page.getByText("The vault is locked.").waitFor();
    await page.getByRole("heading", { name: "About" }).waitFor();
    expect(await page.getByRole("button", { name: "Change the vault's key…" }).count()).toBe(0);
    await page.getByRole("button", { name: "Go to Vault recovery" }).click();
    await page.getByRole("heading", { level: 1, name: "Vault recovery" }).waitFor();

    await openVault(page);
    await page.getByText("First, set up a provider").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Connections");
    expect(await page.getByRole("navigation").getByRole("button").count()).toBe(5);
  });

  it("says what happened, that nothing was deleted, why each place did not open it, and whose connections are in it", async () => {
    const { page } = await open({ scenario: "locked" });
    const words = await page.getByRole("main").innerText();
    expect(words).toContain("The vault of DMS Connect cannot be opened with the keys of this computer.");
    expect(words).toContain("Nothing was deleted.");
    expect(words).toMatch(/safe storage\s+The key is gone, or it is another key\./);
    expect(words).toMatch(/Credential store \(.+\)\s+It did not answer in time\./);
    expect(words).toContain("Mazda, Acceptance (test), mmd10030.johndoe");
    expect(words).toContain("Webfleet, Production, johndoe");
    expect(await waysOn(page)).toEqual([
      "1. Try again",
      "2. Enter the passphrase",
      "3. Use the earlier keys of this computer",
      "4. Start a new vault",
    ]);
  });

  it("offers only to try again where another program has the vault open", async () => {
    const { page } = await open({ scenario: "lockedInUse" });
    await page.getByText("The vault of DMS Connect is open in another program.").waitFor();
    expect(await waysOn(page)).toEqual(["Try again"]);
  });

  it("says when trying again changed nothing, and shows a new reason", async () => {
    const { page } = await open({ scenario: "locked" });
    await page.evaluate((error) => window.mock.answer("vault.tryAgain", { ok: false, error }), failure("vault_locked"));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The vault did not open. Nothing was changed.").waitFor();
    await page.evaluate((error) => window.mock.answer("vault.tryAgain", { ok: false, error }), failure("vault_in_use"));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The vault of DMS Connect is open in another program.").waitFor();
    expect(await callsOf(page, "vault.tryAgain")).toHaveLength(2);
  });

  it("waits for the passphrase where that is all that is missing, and keeps a wrong one to be corrected", async () => {
    const { page } = await open({ scenario: "lockedPassphraseNeeded" });
    await page.waitForFunction(() => document.activeElement?.getAttribute("type") === "password");
    expect(await waysOn(page)).toEqual(["1. Enter the passphrase", "2. Try again", "3. Start a new vault"]);
    const field = page.getByLabel(/^Passphrase of the vault/);
    expect(await field.getAttribute("autocomplete")).toBe("current-password");
    await page.keyboard.press("Enter");
    await page.getByText("Enter the passphrase.", { exact: true }).waitFor();
    expect(await callsOf(page, "vault.unlock")).toEqual([]);

    await page.evaluate((error) => window.mock.answer("vault.unlock", { ok: false, error }), failure("vault_passphrase_wrong"));
    await field.fill("five random word here");
    await page.keyboard.press("Enter");
    await page.getByText("This passphrase is not the right one.").waitFor();
    expect(await field.inputValue()).toBe("five random word here");

    await page.evaluate(() => window.mock.answer("vault.unlock", { ok: true, value: undefined }));
    await field.fill(passphrase);
    await page.getByRole("button", { name: "Open the vault" }).click();
    await openVault(page);
    await page.getByText("First, set up a provider").waitFor();
    expect(await callsOf(page, "vault.unlock")).toEqual([{ passphrase: "five random word here" }, { passphrase }]);
  });

  it("lets a person choose a passphrase where there is no safe place, only after saying what that costs", async () => {
    const { page } = await open({ scenario: "lockedNoSafePlace" });
    expect(await waysOn(page)).toEqual(["1. Try again", "2. Choose a passphrase"]);
    await page.getByRole("button", { name: "Choose a passphrase…" }).click();
    const dialog = page.getByRole("dialog", { name: "Choose a passphrase" });
    const words = await dialog.innerText();
    expect(words).toContain("You must type this passphrase each time DMS Connect starts.");
    expect(words).toContain("Nobody can find it again for you.");
    const first = dialog.getByLabel(/^Passphrase\*?$/);
    const second = dialog.getByLabel(/^Passphrase again/);
    expect(await first.getAttribute("autocomplete")).toBe("new-password");
    const confirm = dialog.getByRole("button", { name: "Make the vault" });
    await first.fill("eleven char");
    await confirm.click();
    await dialog.getByText("This is too short. Use at least 12 characters.").waitFor();
    await first.fill(passphrase);
    await second.fill(`${passphrase} `);
    await dialog.getByText("The two passphrases are not the same.").waitFor();
    await confirm.click();
    expect(await callsOf(page, "vault.setPassphrase")).toEqual([]);

    await second.fill(passphrase);
    await confirm.click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "vault.setPassphrase")).toEqual([{ passphrase }]);
  });

  it("restarts with the earlier keys once", async () => {
    const { page } = await open({ scenario: "locked" });
    const restart = page.getByRole("button", { name: "Use the earlier keys and restart" });
    await restart.click();
    await page.getByText("DMS Connect is restarting…").waitFor();
    await restart.press("Enter");
    expect(await callsOf(page, "vault.useEarlierSystemKeys")).toHaveLength(1);
  });

  it("starts a new vault only after naming everything that has to be done again", async () => {
    const { page } = await open({ scenario: "locked" });
    await page.getByRole("button", { name: "Start a new vault…" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Start a new vault?" });
    const words = await dialog.innerText();
    expect(words).toContain("The old vault is set aside. It is not deleted.");
    expect(words).toContain("DMS programs must be paired again.");
    expect(words).toMatch(/Registrations .* must be entered or imported again\./);
    expect(await dialog.getByRole("listitem").allTextContents()).toEqual([
      "Mazda, Acceptance (test), mmd10030.johndoe",
      "Webfleet, Production, johndoe",
    ]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "vault.startAnew")).toEqual([]);

    await page.getByRole("button", { name: "Start a new vault…" }).click();
    await dialog.getByRole("button", { name: "Start a new vault" }).click();
    await openVault(page);
    await page.getByText("First, set up a provider").waitFor();
    expect(await callsOf(page, "vault.startAnew")).toHaveLength(1);
    // The dialog went away with its page: the new page must be there for the keyboard and for screen readers.
    await page.waitForFunction(
      () => document.activeElement !== document.body && !document.querySelector("#root")?.hasAttribute("aria-hidden"),
    );
  });

  it("keeps the question open and says why when no new vault could be started", async () => {
    const { page } = await open({ scenario: "locked" });
    await page.evaluate(
      (error) => window.mock.answer("vault.startAnew", { ok: false, error }),
      failure("vault_write_failed", { problem: "disk full" }),
    );
    await page.getByRole("button", { name: "Start a new vault…" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Start a new vault" }).click();
    await dialog.getByText("The vault could not be written (disk full).").waitFor();
    expect(await dialog.isVisible()).toBe(true);
  });
});
