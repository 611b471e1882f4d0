import { describe, expect, it } from "vitest";
import type { WindowTarget } from "../shared/views.ts";
import type { OpenWindow } from "./testing/built-window.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

type Page = OpenWindow["page"];
const otherPage = "DMS Connect was asked to show another page.";
const aRow = { page: "connections", connectionId: "webfleet/production/johndoe" } as const satisfies WindowTarget;

describe.skipIf(browser === undefined)("a link, a notification or a program that asks for another page", () => {
  const open = useWindow();

  it("does not throw away a half-filled registration; the page changes by the button only", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Set-up");
    await page.getByRole("button", { name: "Edit: Mazda, Acceptance" }).click();
    // Nothing was typed yet: nothing is lost.
    await ask(page, { page: "programs" });
    await page.getByRole("heading", { level: 1, name: "DMS programs" }).waitFor();

    await goTo(page, "Set-up");
    await page.getByRole("button", { name: "Edit: Mazda, Acceptance" }).click();
    const clientId = page.getByLabel("Client id");
    await clientId.fill("half-typed");
    await ask(page, aRow);
    await page.getByText(otherPage).waitFor();
    expect(await clientId.inputValue()).toBe("half-typed");
    expect(await clientId.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Webfleet, Production, johndoe");
    expect(await page.getByText(otherPage).count()).toBe(0);
  });

  it.each([
    ["Audit log", "Search", "token.get"],
    ["Settings", "Usual user id", "mary"],
    ["Settings", "From", "18:00"],
    ["Settings", "User id", "mary"],
  ])("does not throw away what is typed on the page %s into %s", async (name, label, text) => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, name);
    const field = page.getByLabel(label, { exact: true });
    await field.fill(text);
    await ask(page, { page: "programs" });
    await page.getByText(otherPage).waitFor();
    expect(await field.inputValue()).toBe(text);
    await field.fill("");
    if (label !== "Usual user id") {
      await ask(page, { page: "programs" });
      await page.getByRole("heading", { level: 1, name: "DMS programs" }).waitFor();
    }
  });

  it("does not throw away a passphrase that is being typed", async () => {
    const { page } = await open({ scenario: "lockedPassphraseNeeded" });
    const field = page.getByRole("textbox", { name: "Passphrase of the vault" });
    await field.fill("five random words");
    await ask(page, { page: "settings" });
    await page.getByText(otherPage).waitFor();
    expect(await field.inputValue()).toBe("five random words");
  });

  it("goes there at once when what was typed has been saved", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    await page.getByLabel("Usual user id").fill("mary ");
    await page.keyboard.press("Enter");
    await page.getByText("Saved.").waitFor();
    await ask(page, aRow);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Webfleet, Production, johndoe");
    expect(await callsOf(page, "settings.save")).toHaveLength(1);
  });

  it("does not close a dialog, and waits until it is closed and the person wants to go", async () => {
    const { page } = await open({ scenario: "leaving" });
    await page.getByRole("button", { name: "End all connections of a user…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("User id").selectOption("mary");
    await ask(page, { page: "settings" });
    await ask(page, { page: "programs" });
    await page.getByText(otherPage).waitFor();
    expect(await dialog.getByLabel("User id").inputValue()).toBe("mary");
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Connections");
    // What was asked for last.
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "DMS programs" }).waitFor();
  });

  it("marks no row behind a dialog, and says nothing where there is nothing else to show", async () => {
    const { page } = await open({ scenario: "active" });
    await page.getByRole("button", { name: "Revoke…: Webfleet, johndoe" }).click();
    await page.getByRole("alertdialog").waitFor();
    await ask(page, aRow);
    await page.getByText("DMS Connect was asked to show a connection.").waitFor();
    expect(await page.locator("tbody[tabindex='-1']").count()).toBe(0);
    await ask(page, { page: "connections" });
    await page.getByText("DMS Connect was asked to show a connection.").waitFor({ state: "detached" });
  });

  it("is forgotten when the person dismisses it, or goes there", async () => {
    const { page } = await open({ scenario: "active" });
    const line = page.getByText(otherPage);
    await goTo(page, "Audit log");
    await page.getByLabel("Search").fill("x");
    await ask(page, { page: "programs" });
    await page.getByRole("button", { name: "Dismiss this message" }).click();
    await line.waitFor({ state: "detached" });
    await ask(page, { page: "programs" });
    await line.waitFor();
    await goTo(page, "DMS programs");
    await goTo(page, "Settings");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    expect(await line.count()).toBe(0);
  });

  it("is shown at once under the question about a program, which keeps the focus", async () => {
    const { page } = await open({ scenario: "pairing" });
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("radio", { name: "Only these users" }).check();
    await dialog.getByRole("textbox").first().fill("mary");
    await ask(page, aRow);
    await page.locator("tbody[tabindex='-1']").waitFor();
    expect(await dialog.getByRole("textbox").first().inputValue()).toBe("mary");
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  });
});

async function ask(page: Page, target: WindowTarget): Promise<void> {
  await page.evaluate((target) => window.mock.emit("windowTargetChanged", target), target);
}
