import { describe, expect, it } from "vitest";
import { type Failure, failure } from "../shared/failure.ts";
import type { OpenWindow } from "./testing/built-window.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

type Page = OpenWindow["page"];
const offlineWords = "This computer has no connection to the internet.";

describe.skipIf(browser === undefined)("notices of the network and the clock", () => {
  const open = useWindow();

  it("tells that the computer is offline once, above the list", async () => {
    const { page } = await open({ scenario: "offline" });
    await page.getByText(offlineWords).first().waitFor();
    expect(await page.getByText("Waits for the network").count()).toBe(2);
    // The other one answers a sign-in that was tried.
    expect(await page.getByText(offlineWords).count()).toBe(2);
    await page.getByText("Check the network cable or the Wi-Fi, then click Connect.").waitFor();
  });

  it("brings a dismissed notice back when its cause went away and came again, not before", async () => {
    const { page } = await open({ scenario: "active" });
    const notice = page.getByText(offlineWords);
    await notify(page, [failure("network_offline")]);
    await notice.waitFor();
    await page.getByRole("button", { name: "Dismiss this message" }).click();
    await notice.waitFor({ state: "detached" });
    await notify(page, [failure("network_offline"), failure("clock_fast", { offset: "6 min" })]);
    await page.getByText("it is 6 min ahead").waitFor();
    expect(await notice.count()).toBe(0);
    await notify(page, []);
    await page.getByText("it is 6 min ahead").waitFor({ state: "detached" });
    await notify(page, [failure("network_offline")]);
    await notice.waitFor();
  });

  it("does not bring a dismissed notice back because a value in it has moved on", async () => {
    const { page } = await open({ scenario: "active" });
    await notify(page, [failure("clock_slow", { offset: "6 min" })]);
    await page.getByRole("button", { name: "Dismiss this message" }).click();
    await notify(page, [failure("clock_slow", { offset: "7 min" }), failure("network_offline")]);
    await page.getByText(offlineWords).waitFor();
    expect(await page.getByText("it is 7 min behind").count()).toBe(0);
  });

  it.each(["Connections", "Settings"])("asks for what the proxy wants and keeps no trace of it, on the page %s", async (name) => {
    const { page } = await open({ scenario: "networkNotices" });
    await goTo(page, name);
    const button = page.getByRole("button", { name: "Sign in to the proxy…" }).first();
    await button.click();
    const dialog = page.getByRole("dialog", { name: "Sign in to proxy.autohaus-mueller.example:3128" });
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByText("Enter the user name.").waitFor();
    await dialog.getByText("Enter the password.").waitFor();
    expect(await callsOf(page, "proxy.signIn")).toEqual([]);
    await dialog.getByLabel("User name").fill("DEALER\\john");
    await dialog.getByLabel(/^Password/).fill(" pass word ");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByText("Saved. DMS Connect tries again.").first().waitFor();
    const params = { proxy: "proxy.autohaus-mueller.example:3128", userName: "DEALER\\john", password: " pass word " };
    expect(await callsOf(page, "proxy.signIn")).toEqual([params]);
    await button.click();
    expect(await dialog.getByLabel("User name").inputValue()).toBe("");
    expect(await dialog.getByLabel(/^Password/).inputValue()).toBe("");
  });

  it.each(["networkNotices", "proxyInRow"] as const)(
    "says in place of the demand that the sign-in was saved, until there is news: %s",
    async (scenario) => {
      const { page } = await open({ scenario });
      const demand = page.getByText("wants a user name and a password");
      await demand.waitFor();
      await page.getByRole("button", { name: "Sign in to the proxy…" }).click();
      await page.getByRole("textbox", { name: "User name" }).fill("john");
      await page.getByLabel(/^Password/).fill("secret");
      await page.keyboard.press("Enter");
      await page.getByText("Saved. DMS Connect tries again.").waitFor();
      expect(await demand.count()).toBe(0);
      await page.waitForFunction(() => document.activeElement?.textContent === "Sign in to the proxy…");
      await page.evaluate(() => {
        const { status, connections } = window.mock.scenario;
        const [mazda] = connections;
        if (mazda === undefined) return;
        // As another process sends them: never the same object twice.
        window.mock.emit("statusChanged", structuredClone(status));
        window.mock.emit("connectionChanged", structuredClone(mazda));
      });
      await demand.waitFor();
      expect(await page.getByText("Saved. DMS Connect tries again.").count()).toBe(0);
    },
  );

  it("says it even if news came while the sign-in was being saved, and also among the notices of the settings", async () => {
    const { page } = await open({ scenario: "networkNotices" });
    await goTo(page, "Settings");
    await page.getByRole("button", { name: "Sign in to the proxy…" }).first().click();
    await page.getByRole("textbox", { name: "User name" }).fill("john");
    await page.getByLabel(/^Password/).fill("secret");
    await page.evaluate(() => {
      document.querySelector<HTMLFormElement>("[role=dialog] form")?.requestSubmit();
      // Before the answer.
      window.mock.emit("statusChanged", structuredClone(window.mock.scenario.status));
    });
    await page.getByText("Saved. DMS Connect tries again.").nth(1).waitFor();
    expect(await page.getByText("wants a user name and a password").count()).toBe(0);
  });

  it("keeps the dialog open and says why when the sign-in cannot be stored", async () => {
    const { page } = await open({ scenario: "proxyInRow" });
    await page.evaluate(
      (error) => window.mock.answer("proxy.signIn", { ok: false, error }),
      failure("vault_write_failed", { problem: "disk full" }),
    );
    await page.getByRole("button", { name: "Sign in to the proxy…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("User name").fill("john");
    await dialog.getByLabel(/^Password/).fill("secret");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByText("The vault could not be written (disk full).").waitFor();
    expect(await dialog.getByLabel("User name").inputValue()).toBe("john");
  });
});

async function notify(page: Page, notices: readonly Failure[]): Promise<void> {
  await page.evaluate((notices) => window.mock.emit("statusChanged", { ...window.mock.scenario.status, notices }), notices);
}
