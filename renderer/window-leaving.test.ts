import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import type { OpenWindow } from "./testing/built-window.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

const leaver = "mmd10030.johndoe";

describe.skipIf(browser === undefined)("an employee leaves", () => {
  const open = useWindow();

  it("shows what will happen at each provider, ends nothing before the answer, and then says how each ended", async () => {
    const { page } = await open({ scenario: "leaving" });
    const dialog = await choose(page);
    const will = await dialog.getByRole("list", { name: "This will happen:" }).innerText();
    expect(will).toContain("DMS Connect cannot end it at Mazda.");
    expect(will).toContain("The access ends at Webfleet (Revoke).");
    expect(will).toContain("Webfleet must still end it.");
    await dialog.getByRole("button", { name: "Open the security screens of Mazda" }).click();
    expect(await callsOf(page, "connection.openGrantScreens")).toEqual([{ connectionId: `mazda/acceptance/${leaver}` }]);
    expect(await callsOf(page, "user.endAll")).toEqual([]);

    await dialog.getByRole("button", { name: "End 4 connections" }).click();
    await page.waitForFunction((user) => document.activeElement?.textContent === `${user}: not all connections have ended`, leaver);
    expect(await callsOf(page, "user.endAll")).toEqual([{ user: leaver }]);
    const happened = await dialog.getByRole("list", { name: "This happened:" }).innerText();
    expect(happened).toMatch(/Revoked\.\s+Programs can still use the access they already have until (?!about).*\d\d:\d\d\./);
    // The provider has not said when.
    expect(happened).toMatch(/keeps trying\.\s+Programs can still use the access they already have until about .*\d\d:\d\d\./);
    expect(happened).toContain("Access ended here. Webfleet does not know it yet. DMS Connect keeps trying.");
    expect(happened).toContain("Forgotten on this computer.");
    expect(happened).toContain("The vault could not be written (disk full).");
    expect(happened).toContain("Make space on the disk, then try again.");
  });

  it("tries again what failed and keeps what has ended", async () => {
    const { page } = await open({ scenario: "leaving" });
    const dialog = await choose(page);
    await dialog.getByRole("button", { name: "End 4 connections" }).click();
    await page.evaluate(() => {
      const failed = window.mock.scenario.ended?.at(-1);
      if (failed === undefined) return;
      const { failure: _over, ...rest } = failed;
      window.mock.answer("user.endAll", { ok: true, value: [{ ...rest, outcome: "forgotten" }] });
    });
    await dialog.getByRole("button", { name: "Try again" }).click();
    await page.waitForFunction((user) => document.activeElement?.textContent === `${user}: all connections have ended here`, leaver);
    expect(await dialog.getByRole("listitem").count()).toBe(4);
    expect(await dialog.getByRole("button", { name: "Try again" }).count()).toBe(0);
  });

  it("keeps showing how it ended when the last connection goes away", async () => {
    const { page } = await open({ scenario: "leaving" });
    const dialog = await choose(page);
    await dialog.getByRole("button", { name: "End 4 connections" }).click();
    await dialog.getByText("This happened:").waitFor();
    await page.evaluate(() => {
      for (const each of window.mock.scenario.connections) window.mock.emit("connectionChanged", { ...each, state: "Forgotten" });
    });
    await dialog.getByRole("button", { name: "Another user id…" }).waitFor({ state: "detached" });
    expect(await dialog.getByText("This happened:").isVisible()).toBe(true);
    await dialog.getByRole("button", { name: "Close" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("You are not connected yet").waitFor();
  });

  it("asks for a user, begins anew each time, and gives the focus back", async () => {
    const { page } = await open({ scenario: "leaving" });
    const button = page.getByRole("button", { name: "End all connections of a user…" });
    await button.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "End connections" }).press("Enter");
    await dialog.getByRole("alert").getByText("Choose a user.").waitFor();
    expect(await callsOf(page, "user.endAll")).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.textContent === "End all connections of a user…");
    await button.press("Enter");
    await dialog.waitFor();
    expect(await dialog.getByRole("alert").count()).toBe(0);
  });

  it("says why when nothing could be ended, and goes on to another user id", async () => {
    const { page } = await open({ scenario: "leaving", widthPx: 420 });
    const dialog = await choose(page);
    await page.evaluate((error) => window.mock.answer("user.endAll", { ok: false, error }), failure("vault_locked"));
    await dialog.getByRole("button", { name: "End 4 connections" }).click();
    await dialog.getByText("The vault of DMS Connect cannot be opened").waitFor();
    await page.evaluate(() => window.mock.answer("user.endAll", { ok: true, value: [] }));
    await dialog.getByRole("button", { name: "End 4 connections" }).click();
    await dialog.getByText("There was nothing left to end.").waitFor();
    await dialog.getByRole("button", { name: "Another user id…" }).click();
    await dialog.getByLabel("User id").selectOption("mary");
    await dialog.getByRole("button", { name: "End 1 connection" }).waitFor();
    expect(await callsOf(page, "user.endAll")).toEqual([{ user: leaver }, { user: leaver }]);
  });
});

async function choose(page: OpenWindow["page"]) {
  await page.getByRole("button", { name: "End all connections of a user…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User id").selectOption(leaver);
  return dialog;
}
