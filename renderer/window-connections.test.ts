import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

describe.skipIf(browser === undefined)("connections in the window", () => {
  const open = useWindow();

  it("changes a row when its connection changes", async () => {
    const { page } = await open({ scenario: "active" });
    const row = page.getByRole("rowgroup", { name: "Mazda, Acceptance (test), mmd10030.johndoe" });
    await row.getByText("Connected", { exact: true }).waitFor();
    const failed = failure("grant_dead", { provider: "Mazda" });
    await page.evaluate((failure) => {
      const [mazda] = window.mock.scenario.connections;
      if (mazda !== undefined) window.mock.emit("connectionChanged", { ...mazda, state: "ReconnectRequired", failure });
    }, failed);
    await row.getByText("Sign-in needed").waitFor();
    await page.getByText("Mazda no longer accepts this connection.").waitFor();
    await page.getByRole("button", { name: "Reconnect: Mazda, mmd10030.johndoe" }).click();
    expect(await callsOf(page, "connect.start")).toEqual([
      { provider: "mazda", environment: "acceptance", user: "mmd10030.johndoe", organisation: "10030/MMD" },
    ]);
  });

  it("removes the row of a connection that was forgotten", async () => {
    const { page } = await open({ scenario: "active" });
    const row = page.getByRole("rowgroup", { name: /^Webfleet/ });
    await row.waitFor();
    await page.evaluate(() => {
      const webfleet = window.mock.scenario.connections[1];
      if (webfleet !== undefined) window.mock.emit("connectionChanged", { ...webfleet, state: "Forgotten" });
    });
    await row.waitFor({ state: "detached" });
    expect(await page.getByRole("rowgroup", { name: /^Mazda/ }).count()).toBe(1);
  });

  it("adds the row of a new connection, and offers to open the page again or to cancel", async () => {
    const { page } = await open({ scenario: "setUpOnly" });
    await page.getByText("You are not connected yet").waitFor();
    await page.evaluate(() =>
      window.mock.emit("connectionChanged", {
        id: "webfleet/production/new",
        provider: "webfleet",
        providerName: "Webfleet",
        environment: "production",
        user: "new",
        state: "Connecting",
        grantExpiryIsEstimate: false,
        canRevoke: true,
        hasGrantScreens: false,
      }),
    );
    await page.getByText("Finish signing in in your browser").first().waitFor();
    await page.getByRole("button", { name: "Open the page again" }).click();
    await page.getByRole("button", { name: "Cancel sign-in" }).click();
    expect(await callsOf(page, "connect.start")).toEqual([{ provider: "webfleet", environment: "production", user: "new" }]);
    expect(await callsOf(page, "connect.cancel")).toEqual([{ connectionId: "webfleet/production/new" }]);
  });

  it("says what Revoke does and does not do, and revokes only after the answer", async () => {
    const { page } = await open({ scenario: "active" });
    await page.getByRole("button", { name: "Revoke…: Webfleet, johndoe" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Revoke Webfleet for johndoe?" });
    const words = await dialog.innerText();
    expect(words).toContain("This ends the access at Webfleet.");
    expect(words).toMatch(/Programs can still use the access they already have until (\d{1,2} \w{3,4} \d{4}, )?\d\d:\d\d\./);
    expect(await callsOf(page, "connection.revoke")).toEqual([]);
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "connection.revoke")).toEqual([{ connectionId: "webfleet/production/johndoe" }]);
  });

  it("keeps the question open and says why when revoking fails", async () => {
    const { page } = await open({ scenario: "active" });
    await page.evaluate(
      (error) => window.mock.answer("connection.revoke", { ok: false, error }),
      failure("vault_write_failed", { problem: "disk full" }),
    );
    await page.getByRole("button", { name: "Revoke…: Webfleet, johndoe" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await dialog.getByText("The vault could not be written (disk full).").waitFor();
    expect(await dialog.isVisible()).toBe(true);
  });

  it("never calls Forget a Revoke, and leads to the provider's own screens", async () => {
    const { page } = await open({ scenario: "active" });
    expect(await page.getByRole("button", { name: /Revoke.*Mazda/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Forget…: Mazda, mmd10030.johndoe" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Forget Mazda for mmd10030.johndoe?" });
    await dialog.getByText("It does not end the access at Mazda. The access stays valid there until it is revoked there.").waitFor();
    await dialog.getByRole("button", { name: "Open the security screens of Mazda" }).click();
    await dialog.getByRole("button", { name: "Forget" }).click();
    await dialog.waitFor({ state: "detached" });
    const connection = { connectionId: "mazda/acceptance/mmd10030.johndoe" };
    expect(await callsOf(page, "connection.openGrantScreens")).toEqual([connection]);
    expect(await callsOf(page, "connection.forget")).toEqual([connection]);
    expect(await callsOf(page, "connection.revoke")).toEqual([]);
  });

  it("connects with the user, environment and organisation that were chosen", async () => {
    const { page } = await open({ scenario: "setUpOnly" });
    await page.getByRole("button", { name: "Connect Mazda" }).click();
    const dialog = page.getByRole("dialog", { name: "Connect Mazda" });
    const user = dialog.getByLabel("User id");
    expect(await user.inputValue()).toBe("mmd10030.johndoe");
    await user.fill("  ");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await dialog.getByText("Enter the user id.").waitFor();
    await user.fill("x".repeat(129));
    await dialog.getByText("The user id can have 128 characters at most.").waitFor();
    expect(await callsOf(page, "connect.start")).toEqual([]);

    await user.fill("  mmd10031.mary ");
    await dialog.getByLabel("Organisation").selectOption("10031/MMD");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "connect.start")).toEqual([
      { provider: "mazda", environment: "production", user: "mmd10031.mary", organisation: "10031/MMD" },
    ]);
  });

  it("asks for neither environment nor organisation where there is no choice", async () => {
    const { page } = await open({ scenario: "setUpOnly" });
    await page.getByRole("button", { name: "Connect Webfleet" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("User id").fill("johndoe");
    expect(await dialog.getByRole("combobox").count()).toBe(0);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await callsOf(page, "connect.start")).toEqual([{ provider: "webfleet", environment: "production", user: "johndoe" }]);
  });

  it("goes on where it was when it is made narrow or the computer turns dark", async () => {
    const { page } = await open({ scenario: "active" });
    await page.getByRole("rowgroup", { name: /^Webfleet/ }).waitFor();
    await page.setViewportSize({ width: 420, height: 820 });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByRole("listitem", { name: /^Webfleet/ }).waitFor();
    expect(await page.getByRole("table").count()).toBe(0);
    await page.waitForFunction(() => document.documentElement.style.colorScheme === "dark");
  });
});
