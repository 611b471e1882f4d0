import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import type { ConnectionView, WindowTarget } from "../shared/views.ts";
import type { OpenWindow } from "./testing/built-window.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

type Page = OpenWindow["page"];

describe.skipIf(browser === undefined)("connections over the months", () => {
  const open = useWindow();

  it("shows both deadlines of every connection and says which are estimates", async () => {
    const { page } = await open({ scenario: "estimates" });
    const mazda = page.getByRole("rowgroup", { name: /^Mazda/ });
    await mazda.getByText("in 9 minutes (estimate)").waitFor();
    await mazda.getByText("in 24 days (estimate)").waitFor();
    // What cannot be renewed ends with its access, whatever the grant's own end is.
    const mary = page.getByRole("rowgroup", { name: /mary$/ });
    expect(await mary.getByText("in 50 minutes").count()).toBe(2);
    await mary.getByText(/^mary must sign in again before \d\d:\d\d\.$|^mary must sign in again before .*, \d\d:\d\d\.$/).waitFor();
    await mary.getByRole("button", { name: "Reconnect: Webfleet, mary" }).click();
    expect(await callsOf(page, "connect.start")).toEqual([{ provider: "webfleet", environment: "production", user: "mary" }]);
  });

  it("counts the connections that need a person and follows the count", async () => {
    const { page } = await open({ scenario: "needYou" });
    await page.getByRole("status").getByText("2 connections need you.").waitFor();
    await emitConnection(page, 4, { state: "Active", failure: undefined });
    await page.getByRole("status").getByText("1 connection needs you.").waitFor();
    const [first] = await page.getByRole("rowgroup", { name: /Mazda|Webfleet/ }).all();
    expect(await first?.getAttribute("aria-label")).toMatch(/mmd10030\.dieter$/);
  });

  it("says above the list that a provider is paused, and takes it away when it is well again", async () => {
    const { page } = await open({ scenario: "paused" });
    const line = page.getByRole("status").filter({ hasText: "Webfleet has had problems since" });
    const words = await line.innerText();
    expect(words).toMatch(/DMS Connect asks again at .*\d\d:\d\d\./);
    expect(words).toContain("Nothing is lost: your connections are kept.");
    expect(words).toContain("Last problem: Webfleet is busy or out of order (status 503).");
    expect(await page.getByText("Waits for Webfleet").count()).toBe(2);
    await page.evaluate(() =>
      window.mock.emit(
        "providersChanged",
        window.mock.scenario.providers.map((provider) => ({
          ...provider,
          environments: provider.environments.map(({ paused: _over, ...rest }) => rest),
        })),
      ),
    );
    await line.waitFor({ state: "detached" });
    await page.getByText("Webfleet has problems").waitFor();
  });

  it("says after Revoke until when copies work, and that again when the provider is told later", async () => {
    const { page } = await open({ scenario: "active" });
    await revoke(page);
    await page.getByText("Revoked: Webfleet, johndoe.").waitFor();
    await page.getByText(/^Revoked: .* Programs can still use the access they already have until .*\d\d:\d\d\.$/).waitFor();
    await emitConnection(page, 1, { state: "Revoking" });
    await page.getByText("Access ended here: Webfleet, johndoe.").waitFor();
    await page.getByText("Revocation pending").waitFor();
    await emitConnection(page, 1, { state: "Forgotten" });
    await page.getByText("Revoked: Webfleet, johndoe.").waitFor();
    await page.getByRole("button", { name: "Dismiss this message" }).click();
    expect(await page.getByText("Revoked: Webfleet, johndoe.").count()).toBe(0);
  });

  it("takes a revocation that is pending for done, and says why and until when in its row", async () => {
    const { page } = await open({ scenario: "active" });
    const pending = failure("revocation_pending", { provider: "Webfleet" });
    await page.evaluate((error) => window.mock.answer("connection.revoke", { ok: false, error }), pending);
    await revoke(page);
    await emitConnection(page, 1, { state: "Revoking", failure: pending });
    const row = page.getByRole("rowgroup", { name: /^Webfleet/ });
    const words = await row.innerText();
    expect(words).toContain("Webfleet does not know yet that this connection has ended.");
    expect(words).toMatch(/Programs can still use the access they already have until .*\d\d:\d\d\./);
  });

  it("goes by the time of the main process where the computer's clock is wrong", async () => {
    const { page } = await open({ scenario: "wrongClock" });
    await page.getByText("in 43 minutes").waitFor();
    // Without that it would have ended long ago.
    expect(await page.getByText("ago").count()).toBe(0);
  });

  it("goes to the row it was opened for, marks it and gives it the focus", async () => {
    const { page } = await open({ scenario: "target" });
    for (const width of [1200, 420]) {
      await page.setViewportSize({ width, height: 820 });
      await page.reload();
      const atPx = await shownAtPx(page, /driver9$/);
      expect(atPx).toBeGreaterThan(0);
      expect(atPx).toBeLessThan(820);
    }
  });

  it("goes to another row and page when it is asked to, and stays whole when there is no such row", async () => {
    const { page } = await open({ scenario: "target" });
    await shownAtPx(page, /driver9$/);
    await goTo(page, "Settings");
    await aim(page, { page: "connections", connectionId: "webfleet/production/driver2" });
    await shownAtPx(page, /driver2$/);
    await aim(page, { page: "connections", connectionId: "webfleet/production/nobody" });
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
    expect(await page.getByRole("rowgroup", { name: /driver11$/ }).isVisible()).toBe(true);
    await aim(page, { page: "programs" });
    await page.waitForFunction(() => document.activeElement?.textContent === "DMS programs");
  });

  it("shows a row that is announced only after it was asked for, unless the person has gone on", async () => {
    const { page } = await open({ scenario: "active" });
    const late = { page: "connections", connectionId: "webfleet/production/late" } as const;
    await aim(page, late);
    await emitConnection(page, 1, { id: late.connectionId, user: "late", state: "Connecting" });
    await shownAtPx(page, /late$/);

    await aim(page, { page: "connections", connectionId: "webfleet/production/later" });
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.textContent);
    await emitConnection(page, 1, { id: "webfleet/production/later", user: "later", state: "Connecting" });
    await page.getByRole("rowgroup", { name: /later$/ }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(focused);
  });
});

async function revoke(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Revoke…: Webfleet, johndoe" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
}

type Change = { readonly [K in keyof ConnectionView]?: ConnectionView[K] | undefined };

/** Announces one of the scenario's connections, changed. */
async function emitConnection(page: Page, index: number, change: Change): Promise<void> {
  await page.evaluate(
    ([index, change]) => {
      const connection = window.mock.scenario.connections[index];
      // JSON has no undefined: what is to go away comes as null.
      const entries = Object.entries({ ...connection, ...change }).filter(([, value]) => value !== null);
      // Built from a connection.
      window.mock.emit("connectionChanged", Object.fromEntries(entries) as unknown as ConnectionView);
    },
    [index, Object.fromEntries(Object.entries(change).map(([name, value]) => [name, value ?? null]))] as const,
  );
}

async function aim(page: Page, target: WindowTarget): Promise<void> {
  await page.evaluate((target) => window.mock.emit("windowTargetChanged", target), target);
}

/** Waits until the row or card with this name has the focus; returns how far below the window's top it begins. */
async function shownAtPx(page: Page, name: RegExp): Promise<number> {
  await page.waitForFunction((source) => new RegExp(source).test(document.activeElement?.getAttribute("aria-label") ?? ""), name.source);
  return (await page.locator(":focus").boundingBox())?.y ?? Number.NaN;
}
