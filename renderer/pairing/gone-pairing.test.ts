import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { goTo } from "../testing/scene.ts";
import { browser, callsOf, useWindow } from "../testing/window-fixture.ts";

describe.skipIf(browser === undefined)("the question about a program that has gone away", () => {
  const open = useWindow();

  it("shows who asked after the program has gone, and can be closed, but not approved", async () => {
    const { page } = await open({ scenario: "gonePairing" });
    const dialog = page.getByRole("alertdialog", { name: "A program wants to use your connections" });
    for (const words of ["Workshop Planner", "Great Software BV", "To order parts at Mazda and to see the cars in Webfleet."]) {
      await dialog.getByText(words, { exact: true }).waitFor();
    }
    await dialog.getByRole("alert").getByText("This program does not wait any more.").waitFor();
    expect(await dialog.getByRole("button", { name: "Approve" }).count()).toBe(0);
    expect(await dialog.getByTestId("pairing-code").count()).toBe(0);
    expect(await dialog.getByRole("radio").count()).toBe(0);
    await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Close" }).click();
    expect(await callsOf(page, "pairing.deny")).toEqual([{ pairingId: "p1" }]);
  });

  it("lets a program that has gone be blocked", async () => {
    const { page } = await open({ scenario: "gonePairing" });
    await page.getByRole("button", { name: "Deny and block…" }).click();
    const question = page.getByRole("alertdialog", { name: "Block this program?" });
    await question.getByText("Workshop Planner", { exact: true }).waitFor();
    await question.getByRole("button", { name: "Block", exact: true }).click();
    expect(await callsOf(page, "pairing.block")).toEqual([{ pairingId: "p1" }]);
    await page.evaluate(() => window.mock.emit("pairingsChanged", []));
    await question.waitFor({ state: "detached" });
  });

  it("changes a question in place when its program goes, and takes no click that was meant for what stood there", async () => {
    const { page } = await open({ scenario: "pairing" });
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: "Show the whole path" }).click();
    await dialog.getByRole("button", { name: "Approve", disabled: false }).focus();
    // Within one task of the page, as soon as they are there: the first click is the one that was on its way to Approve.
    const clicked = await page.evaluate(async () => {
      const labels = ["Deny and block…", "Close"];
      const buttons = () => [...document.querySelectorAll("button")].filter(({ textContent }) => labels.includes(textContent));
      const appeared = new Promise<readonly HTMLButtonElement[]>((resolve) => {
        new MutationObserver((_changes, observer) => {
          if (buttons().length < labels.length) return;
          observer.disconnect();
          resolve(buttons());
        }).observe(document.body, { childList: true, subtree: true });
      });
      window.mock.emit(
        "pairingsChanged",
        window.mock.scenario.pairings.map((pairing) => ({ ...pairing, isGone: true, expiresAtMs: Date.now() + 30_000 })),
      );
      const all = await appeared;
      for (const button of all) button.click();
      return all.length;
    });
    expect(clicked).toBe(2);
    expect(await callsOf(page, "pairing.deny")).toEqual([]);
    await dialog.getByText("This program does not wait any more.").waitFor();
    // The same dialog: what was unfolded in it is so still, and the keyboard has not left it.
    await dialog.getByRole("button", { name: "Show less" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Deny and block…");
    expect(await page.getByRole("alertdialog", { name: "Block this program?" }).count()).toBe(0);
    // It was the moment, not the button.
    await dialog.getByRole("button", { name: "Close" }).click();
    expect(await callsOf(page, "pairing.deny")).toEqual([{ pairingId: "p1" }]);
  });

  it("leaves the keyboard where it is when a program goes and that place stays", async () => {
    const { page } = await open({ scenario: "pairing" });
    await page.getByRole("button", { name: "Show the whole path" }).focus();
    await page.evaluate(() =>
      window.mock.emit(
        "pairingsChanged",
        window.mock.scenario.pairings.map((pairing) => ({ ...pairing, isGone: true as const })),
      ),
    );
    await page.getByText("This program does not wait any more.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Show the whole path");
  });

  it("keeps the question whether to block when the program goes meanwhile, and says so when it is too late", async () => {
    const { page } = await open({ scenario: "pairing" });
    await page.getByRole("button", { name: "Deny and block…" }).click();
    await page.evaluate(() =>
      window.mock.emit(
        "pairingsChanged",
        window.mock.scenario.pairings.map((pairing) => ({ ...pairing, isGone: true as const })),
      ),
    );
    const question = page.getByRole("alertdialog", { name: "Block this program?" });
    await question.waitFor();
    await page.evaluate((error) => window.mock.answer("pairing.block", { ok: false, error }), failure("pairing_unknown"));
    await question.getByRole("button", { name: "Block", exact: true }).click();
    await question.getByText("No such pairing is waiting.").waitFor();
    await page.evaluate(
      (expiresAtMs) => window.mock.emit("pairingsChanged", [{ pairingId: "p9", name: "Late", code: "123456", expiresAtMs }]),
      Date.now() + 60_000,
    );
    await question.getByRole("button", { name: "Block", disabled: true }).waitFor();
    expect(await question.getByText("No such pairing is waiting.").count()).toBe(1);
    expect(await question.getByText("Workshop Planner", { exact: true }).count()).toBe(1);
    await question.getByRole("button", { name: "Close" }).click();
    // Only then comes the next one.
    await page.getByRole("alertdialog").getByText("Late", { exact: true }).waitFor();
    expect(await callsOf(page, "pairing.deny")).toEqual([]);
  });

  it("tells at once that a program cannot be blocked any more, and gives the page back", async () => {
    const { page } = await open({ scenario: "gonePairing" });
    await page.getByRole("button", { name: "Deny and block…" }).click();
    const question = page.getByRole("alertdialog", { name: "Block this program?" });
    await question.waitFor();
    await page.evaluate(() => window.mock.emit("pairingsChanged", []));
    await question.getByText("No such pairing is waiting.").waitFor();
    // It must not read as if it had been done.
    expect(await question.innerText()).not.toContain("From now on");
    await question.getByRole("button", { name: "Close" }).press("Enter");
    await question.waitFor({ state: "detached" });
    expect(await callsOf(page, "pairing.block")).toEqual([]);
    await goTo(page, "Settings");
  });
});
