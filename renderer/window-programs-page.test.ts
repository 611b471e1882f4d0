import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import type { OpenWindow } from "./testing/built-window.ts";
import type { ScenarioName } from "./testing/scenarios.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

describe.skipIf(browser === undefined)("the page of the DMS programs", () => {
  const open = useWindow();
  const openPrograms = async (scenario: ScenarioName): Promise<OpenWindow["page"]> => {
    const { page } = await open({ scenario });
    await goTo(page, "DMS programs");
    return page;
  };

  it("tells of each program what it may use, until when, and where it came from", async () => {
    const page = await openPrograms("programs");
    const words = (name: string): Promise<string> => page.getByRole("listitem", { name, exact: true }).innerText();
    expect(await words("Great DMS")).toMatch(/All users[^]*All providers[^]*Access ends\s+Never[^]*Approved here/);
    const report = await words("Fleet Report");
    expect(report).toMatch(/Webfleet, skoda[^]*in 20 days[^]*12,000 at most[^]*From a file/);
    expect(await words("Great DMS")).not.toContain("Requests a minute");
    const managed = await words("Head Office DMS");
    expect(managed).toMatch(/By your administrator[^]*It cannot be changed here/);
    expect(await page.getByRole("button", { name: /: Head Office DMS$/ }).count()).toBe(0);
  });

  it("says when the access of a program has ended, and gives it again by the way it names", async () => {
    const page = await openPrograms("programs");
    await page.getByText(/^Access ended on .+ click Change access\.$/).waitFor();
    await page.getByRole("button", { name: "Change access…: Holiday Cover" }).click();
    const dialog = page.getByRole("dialog", { name: "Change access of Holiday Cover" });
    expect(await dialog.getByLabel("User ids, one on each line").inputValue()).toBe("mary");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("This day is over. Choose today or a later day.").waitFor();
    await dialog.getByRole("radio", { name: "Always" }).check();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "clients.update")).toEqual([{ clientId: "c5", access: { users: ["mary"], providers: "all" } }]);
  });

  it("changes one thing and leaves the rest as it was stored, to the millisecond", async () => {
    const page = await openPrograms("programs");
    await page.getByRole("button", { name: "Change access…: Fleet Report" }).press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("skoda", { exact: true }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const access = await page.evaluate(() => window.mock.scenario.clients.find(({ clientId }) => clientId === "c4")?.access);
    expect(access?.untilMs).toBeGreaterThan(0);
    expect(await callsOf(page, "clients.update")).toEqual([{ clientId: "c4", access: { ...access, providers: ["webfleet"] } }]);
    await page.waitForFunction(() => document.activeElement?.textContent === "Change access…");
  });

  it("shows the limit of requests only to those who look for it, and opens it when it cannot be saved", async () => {
    const page = await openPrograms("active");
    await page.getByRole("button", { name: "Change access…: Great DMS" }).click();
    const dialog = page.getByRole("dialog");
    const requests = dialog.getByLabel("Requests a minute");
    expect(await requests.isVisible()).toBe(false);
    await dialog.getByRole("button", { name: "Advanced" }).click();
    await requests.fill("lots");
    await dialog.getByRole("button", { name: "Advanced" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText(/^Enter a whole number from 1 to 10,000,000/).waitFor();
    await requests.fill("600");
    await requests.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "clients.update")).toEqual([
      { clientId: "c1", access: { users: "all", providers: "all", requestsPerMinute: 600 } },
    ]);
  });

  it("keeps what was chosen when it could not be saved, and says why", async () => {
    const page = await openPrograms("active");
    await page.evaluate((error) => window.mock.answer("clients.update", { ok: false, error }), failure("program_managed"));
    await page.getByRole("button", { name: "Change access…: Parts Counter" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "All users" }).check();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Your administrator has set this program up.").waitFor();
    expect(await dialog.getByRole("radio", { name: "All users" }).isChecked()).toBe(true);
  });

  it("removes a program after a question", async () => {
    const page = await openPrograms("programs");
    await page.getByRole("button", { name: "Remove…: Fleet Report" }).click();
    const question = page.getByRole("alertdialog", { name: "Remove Fleet Report?" });
    await question.getByText("you must import its file again").waitFor();
    await question.getByRole("button", { name: "Remove" }).click();
    expect(await callsOf(page, "clients.remove")).toEqual([{ clientId: "c4" }]);
  });

  it("lists what is blocked and unblocks it, and the keyboard stays on the page", async () => {
    const page = await openPrograms("programs");
    const blocked = page.getByRole("list", { name: "Blocked programs" });
    expect(await blocked.getByRole("listitem").count()).toBe(2);
    await page.getByRole("button", { name: "Unblock…: Setup" }).press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Unblock" }).press("Enter");
    expect(await callsOf(page, "blocked.remove")).toEqual([{ blockedId: "b2" }]);
    await page.evaluate(() => window.mock.emit("blockedChanged", window.mock.scenario.blocked.slice(0, 1)));
    await page.getByRole("button", { name: "Unblock…: Setup" }).waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.closest("main") !== null);
    await page.evaluate(() => window.mock.emit("blockedChanged", []));
    await page.getByRole("heading", { name: "Blocked programs" }).waitFor({ state: "detached" });
  });

  it("says how many programs a file brought, nothing when none was chosen, and why one could not be read", async () => {
    const page = await openPrograms("empty");
    await page.getByText("Click Import program file.").waitFor();
    const button = page.getByRole("button", { name: "Import program file" });
    await button.click();
    const done = page.getByText("2 programs were set up.").and(page.locator("main *"));
    await done.waitFor();

    await page.evaluate(() => window.mock.answer("clients.import", { ok: true, value: { imported: 0 } }));
    await button.click();
    await done.waitFor({ state: "detached" });
    expect(await page.locator("main").innerText()).not.toContain("set up.");

    await page.evaluate(
      (error) => window.mock.answer("clients.import", { ok: false, error }),
      failure("program_file_unreadable", { problem: "clients.0.access is missing" }),
    );
    await button.click();
    await page.locator("main").getByText("clients.0.access is missing").waitFor();
  });

  it("says that new programs cannot ask, as soon as that is so", async () => {
    const page = await openPrograms("empty");
    const banner = page.locator("main").getByText("New programs cannot ask for approval on this computer.");
    await page.getByText("No program is approved yet").waitFor();
    expect(await banner.count()).toBe(0);
    await page.evaluate(() => window.mock.emit("statusChanged", { ...window.mock.scenario.status, pairing: "forbidden" }));
    await banner.waitFor();
    await page.getByText("Ask your administrator to set up your DMS").waitFor();
    expect(await page.getByText("Start the set-up in your DMS").count()).toBe(0);
  });
});
