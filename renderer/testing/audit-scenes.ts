/** The states of the audit log's page worth looking at. */
import type { Page } from "playwright";
import { goTo, type Scene } from "./scene.ts";

export const auditScenes: readonly Scene[] = [
  { name: "audit", scenario: "audit", arrange: show },
  { name: "audit-empty", scenario: "active", arrange: (page) => find(page, show, "Nothing was logged yet") },
  {
    name: "audit-nothing-found",
    scenario: "audit",
    arrange: async (page) => {
      await show(page);
      await page.getByLabel("Search").fill("nobody");
      await page.getByText("No entry fits").waitFor();
    },
  },
  {
    name: "audit-refused",
    scenario: "audit",
    arrange: async (page) => {
      await show(page);
      await page.getByRole("checkbox", { name: "Only what was refused" }).check();
      await page.getByText("Export of the log").waitFor({ state: "detached" });
    },
  },
  { name: "audit-proved", scenario: "auditLong", arrange: (page) => find(page, check, "The log is complete.") },
  { name: "audit-broken", scenario: "auditBroken", arrange: (page) => find(page, check, "Somebody has changed entry 2") },
];

async function show(page: Page): Promise<void> {
  await goTo(page, "Audit log");
}

async function check(page: Page): Promise<void> {
  await show(page);
  await page.getByRole("button", { name: "Check the log" }).click();
}

async function find(page: Page, arrange: (page: Page) => Promise<void>, text: string): Promise<void> {
  await arrange(page);
  await page.getByText(text).first().waitFor();
}
