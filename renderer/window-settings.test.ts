import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { standardSettings } from "../shared/views.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

const before = { ...standardSettings, usualUser: "mmd10030.johndoe" };

describe.skipIf(browser === undefined)("the settings in the window", () => {
  const open = useWindow();

  it("saves what is switched on at once, each on top of the one before", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    await page.getByRole("checkbox", { name: "Start DMS Connect when I sign in to this computer" }).check();
    await page.getByRole("checkbox", { name: "Save data" }).check();
    expect(await callsOf(page, "settings.save")).toEqual([
      { ...before, startAtLogin: true },
      { ...before, startAtLogin: true, saveData: true },
    ]);
  });

  it("says why and shows the former state when the computer refuses", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    await page.evaluate(
      (error) => window.mock.answer("settings.save", { ok: false, error }),
      failure("login_item_failed", { problem: "denied" }),
    );
    const start = page.getByRole("checkbox", { name: "Start DMS Connect when I sign in to this computer" });
    await start.click();
    await page.getByText("DMS Connect could not change whether it starts").waitFor();
    expect(await start.isChecked()).toBe(false);
    // What was refused is not part of what is saved next.
    await page.evaluate(() => window.mock.answer("settings.save", { ok: true, value: undefined }));
    await page.getByRole("checkbox", { name: "Save data" }).check();
    expect((await callsOf(page, "settings.save")).at(-1)).toEqual({ ...before, saveData: true });
  });

  it("says that the administrator has decided, and lets nobody try", async () => {
    const { page } = await open({ scenario: "settingsFilled" });
    await goTo(page, "Settings");
    const start = page.getByRole("checkbox", { name: "Start DMS Connect when I sign in to this computer" });
    await page.getByText("Your administrator has set this.").waitFor();
    expect([await start.isDisabled(), await start.isChecked()]).toEqual([true, true]);
  });

  it("takes both quiet hours or none", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    const form = page.locator("form", { has: page.getByLabel("From") });
    await form.getByLabel("From").fill("18:00");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("Enter both times, or none.").waitFor();
    await form.getByLabel("To").fill("18:00");
    await form.getByText("Enter two different times.").waitFor();
    expect(await callsOf(page, "settings.save")).toEqual([]);
    await form.getByLabel("To").fill("07:30");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("Saved.").waitFor();
    await form.getByRole("button", { name: "Switch off quiet hours" }).click();
    await form.getByRole("button", { name: "Switch off quiet hours" }).waitFor({ state: "detached" });
    expect(await form.getByLabel("From").inputValue()).toBe("");
    expect(await callsOf(page, "settings.save")).toEqual([{ ...before, quietFrom: "18:00", quietTo: "07:30" }, before]);
  });

  it("adds users without notifications, suggests those that are known, and removes them", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    const form = page.locator("form", { has: page.getByRole("button", { name: "Add", exact: true }) });
    expect(await form.locator("datalist option").allTextContents()).toEqual(["johndoe", "mmd10030.johndoe"]);
    await form.getByLabel("User id").fill(" johndoe ");
    await form.getByRole("button", { name: "Add" }).click();
    const list = page.getByRole("list", { name: "Users without notifications" });
    await list.getByText("johndoe", { exact: true }).waitFor();
    expect(await form.locator("datalist option").allTextContents()).toEqual(["mmd10030.johndoe"]);
    expect(await form.getByLabel("User id").inputValue()).toBe("");
    await form.getByLabel("User id").fill("johndoe");
    await page.keyboard.press("Enter");
    await form.getByText("This user is in the list already.").waitFor();
    await list.getByRole("button", { name: "Remove: johndoe" }).click();
    await page.getByText("There are none.").waitFor();
    expect(await callsOf(page, "settings.save")).toEqual([{ ...before, mutedUsers: ["johndoe"] }, before]);
  });
});
