import { describe, expect, it } from "vitest";
import { standardSettings } from "../shared/views.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

describe.skipIf(browser === undefined)("the window", () => {
  const open = useWindow();

  it("says its language and its page", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Set-up");
    await page.getByRole("heading", { level: 1, name: "Set-up" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    expect(await page.title()).toBe("Set-up – DMS Connect");
  });

  it("changes its colours at once and saves the choice", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    await page.getByRole("radio", { name: "Dark" }).check();
    await page.waitForFunction(() => document.documentElement.style.colorScheme === "dark");
    expect(await callsOf(page, "settings.save")).toEqual([{ ...standardSettings, theme: "dark", usualUser: "mmd10030.johndoe" }]);
  });

  it("gives the focus back to the button after a dialog, and moves it to the heading of a new page", async () => {
    const { page } = await open({ scenario: "empty" });
    await page.getByRole("button", { name: "Go to Set-up" }).press("Enter");
    await page.waitForFunction(() => document.activeElement?.textContent === "Set-up");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");

    const other = await open({ scenario: "active" });
    const revoke = other.page.getByRole("button", { name: "Revoke…: Webfleet, johndoe" });
    await revoke.press("Enter");
    await other.page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).press("Enter");
    await other.page.waitForFunction(() => document.activeElement?.textContent === "Revoke…");
  });

  it("offers a reload when drawing fails", async () => {
    const { page } = await open({ scenario: "broken" });
    await page.getByText("Something went wrong in this window.").waitFor();
    const reloaded = page.waitForEvent("load");
    await page.getByRole("button", { name: "Reload" }).click();
    await expect(reloaded).resolves.toBe(page);
  });
});
