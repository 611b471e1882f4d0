import type { Page } from "playwright";
import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

describe.skipIf(browser === undefined)("the audit log in the window", () => {
  const open = useWindow();
  const rowsOf = (page: Page) => page.getByTestId(/^audit-\d+$/);
  /** React's strict mode asks twice at first where it is built for development. */
  const pagesAsked = async (page: Page) => {
    const calls = await callsOf(page, "audit.page");
    return calls.filter((call, index) => JSON.stringify(call) !== JSON.stringify(calls[index - 1]));
  };

  it("shows the newest rows first, in words, and never more than were asked for", async () => {
    const { page } = await open({ scenario: "audit" });
    await goTo(page, "Audit log");
    await rowsOf(page).first().waitFor();
    const words = await rowsOf(page).allInnerTexts();
    expect(words[0]).toMatch(/Request for access[^]*Great DMS[^]*mmd10030\.johndoe[^]*Mazda[^]*Done/);
    expect(words[1]).toMatch(/Parts Counter[^]*This program may not use Webfleet for johndoe\.[^]*not_permitted/);
    expect(await page.locator("time").first().getAttribute("datetime")).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(await pagesAsked(page)).toEqual([{ limit: 50 }]);
    expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
  });

  it("shows older rows page by page, by keyboard alone, and keeps the focus at their end", async () => {
    const { page } = await open({ scenario: "auditLong" });
    await goTo(page, "Audit log");
    const more = page.getByRole("button", { name: "Show more" });
    await more.press("Enter");
    await page.getByText("100 entries are shown.").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Show more");
    await more.press("Enter");
    await page.getByText("There are no older entries.").waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "There are no older entries.");
    expect(await rowsOf(page).count()).toBe(120);
    expect(await pagesAsked(page)).toEqual([{ limit: 50 }, { limit: 50, before: 71 }, { limit: 50, before: 21 }]);
  });

  it("filters by what was typed and by refusals, and pages within that", async () => {
    const { page } = await open({ scenario: "auditLong" });
    await goTo(page, "Audit log");
    await page.getByRole("checkbox", { name: "Only what was refused or failed" }).check();
    await page.getByText("12 entries are shown.").waitFor();
    await page.getByLabel("Search").fill("  USER120 ");
    await page.getByText("1 entry is shown.").waitFor();
    const calls = await callsOf(page, "audit.page");
    expect(calls.at(-1)).toEqual({ limit: 50, outcome: "refused", text: "USER120" });
    await page.getByLabel("Search").fill("nobody");
    await page.getByText("No entry fits").waitFor();
    await page.getByRole("checkbox", { name: "Only what was refused or failed" }).uncheck();
    await page.getByLabel("Search").fill(" ");
    await page.getByText("50 entries are shown.").waitFor();
    expect((await callsOf(page, "audit.page")).at(-1)).toEqual({ limit: 50 });
  });

  it("shows new rows when it is asked to", async () => {
    const { page } = await open({ scenario: "audit" });
    await goTo(page, "Audit log");
    await page.getByText("14 entries are shown.").waitFor();
    await page.evaluate(() =>
      window.mock.answer("audit.page", {
        ok: true,
        value: { rows: [{ sequence: 15, atMs: 1_795_000_000_000, action: "vault.rekey", actor: "window", outcome: "ok" }], hasMore: false },
      }),
    );
    await page.getByRole("button", { name: "Show new entries" }).click();
    await page.getByText("New key for the vault").waitFor();
    expect(await rowsOf(page).count()).toBe(1);
  });

  it("says why the rows cannot be shown, and tries again", async () => {
    const { page } = await open({ scenario: "audit" });
    await page.evaluate((error) => window.mock.answer("audit.page", { ok: false, error }), failure("vault_needs_repair"));
    await goTo(page, "Audit log");
    await page.getByText("The vault file is damaged.").waitFor();
    await page.evaluate(() => window.mock.answer("audit.page", { ok: true, value: { rows: [], hasMore: false } }));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Nothing was logged yet").waitFor();
    expect(await page.getByText("The vault file is damaged.").count()).toBe(0);
  });

  it("keeps what is shown when older rows cannot be had", async () => {
    const { page } = await open({ scenario: "auditLong" });
    await goTo(page, "Audit log");
    await page.getByText("50 entries are shown.").waitFor();
    await page.evaluate((error) => window.mock.answer("audit.page", { ok: false, error }), failure("vault_needs_repair"));
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText("The vault file is damaged.").waitFor();
    expect(await rowsOf(page).count()).toBe(50);
  });

  it("tells that the log is proved, with its number of rows", async () => {
    const { page } = await open({ scenario: "auditLong" });
    await goTo(page, "Audit log");
    await page.getByRole("button", { name: "Check the log" }).click();
    await page.getByText("The log is complete.").waitFor();
    await page.getByText("It has 120 entries. None was changed, and none is missing.").waitFor();
    await page.evaluate(() => window.mock.answer("audit.verify", { ok: true, value: { kind: "intact", rows: 1_234_567 } }));
    await page.getByRole("button", { name: "Check the log" }).click();
    await page.getByText("It has 1,234,567 entries.").waitFor();
    expect(await callsOf(page, "audit.verify")).toHaveLength(2);
  });

  it.each([
    ["changed", "Somebody has changed entry 7 of the log."],
    ["missing", "Entry 7 of the log is missing."],
    ["head", "Somebody has cut off or exchanged entries before entry 7 of the log."],
  ] as const)("tells where the log is broken, and what to do: %s", async (problem, sentence) => {
    const { page } = await open({ scenario: "audit" });
    await page.evaluate(
      (problem) => window.mock.answer("audit.verify", { ok: true, value: { kind: "broken", sequence: 7, problem } }),
      problem,
    );
    await goTo(page, "Audit log");
    await page.getByRole("button", { name: "Check the log" }).click();
    await page.getByText(sentence).waitFor();
    await page.getByText("Export the log now and keep the file. Delete nothing. Then tell your administrator.").waitFor();
    expect(await page.getByText("The log is complete.").count()).toBe(0);
  });

  it("exports in the format of the button, and says nothing when no file was chosen", async () => {
    const { page } = await open({ scenario: "audit" });
    await goTo(page, "Audit log");
    await page.getByRole("button", { name: "Export for a program (JSON lines)…" }).click();
    await page.getByText("The log was saved.").waitFor();
    await page.evaluate(() => window.mock.answer("audit.export", { ok: true, value: { saved: false } }));
    await page.getByRole("button", { name: "Export for a spreadsheet (CSV)…" }).click();
    await page.getByText("The log was saved.").waitFor({ state: "detached" });
    await page.evaluate(
      (error) => window.mock.answer("audit.export", { ok: false, error }),
      failure("file_not_written", { problem: "disk full" }),
    );
    await page.getByRole("button", { name: "Export for a spreadsheet (CSV)…" }).click();
    await page.getByText("The file could not be written (disk full).").waitFor();
    expect(await callsOf(page, "audit.export")).toEqual([{ format: "jsonl" }, { format: "csv" }, { format: "csv" }]);
  });

  it("shows what programs wrote as plain, short text", async () => {
    const { page } = await open({ scenario: "auditBroken", widthPx: 480 });
    await goTo(page, "Audit log");
    await rowsOf(page).first().waitFor();
    const words = await page.getByRole("list", { name: "Audit log" }).innerText();
    expect(words).not.toMatch(/[\u200B\u202E]/);
    expect(words).toContain("This entry cannot be read: somebody has changed it");
    expect(words).toContain("It did not work (some_code_of_a_later_version).");
  });
});
