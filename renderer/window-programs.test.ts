import { describe, expect, it } from "vitest";
import { failure } from "../shared/failure.ts";
import { goTo } from "./testing/scene.ts";
import { browser, callsOf, useWindow } from "./testing/window-fixture.ts";

describe.skipIf(browser === undefined)("programs and registrations in the window", () => {
  const open = useWindow();

  it("approves a pairing with exactly the access that was chosen", async () => {
    const { page } = await open({ scenario: "pairing" });
    const dialog = page.getByRole("alertdialog", { name: "A program wants to use your connections" });
    expect(await dialog.getByTestId("pairing-code").textContent()).toBe("482913");
    await dialog.getByRole("radio", { name: "Only these users" }).check();
    await dialog.getByRole("radio", { name: "Only these providers" }).check();
    await dialog.getByRole("button", { name: "Approve" }).click();
    await dialog.getByText("Enter at least one user id").waitFor();
    expect(await callsOf(page, "pairing.approve")).toEqual([]);

    await dialog.getByLabel("User ids, one on each line").fill("johndoe\n mary \n\njohndoe");
    // By its label: once, all boxes shared one id, and a click on Webfleet chose Mazda.
    await dialog.getByText("Webfleet", { exact: true }).click();
    expect(await dialog.getByRole("checkbox", { name: "Webfleet" }).isChecked()).toBe(true);
    await dialog.getByRole("button", { name: "Approve" }).click();
    await page.waitForFunction(() => window.mock.calls.some(({ name }) => name === "pairing.approve"));
    expect(await callsOf(page, "pairing.approve")).toEqual([
      { pairingId: "p1", access: { users: ["johndoe", "mary"], providers: ["webfleet"] } },
    ]);
  });

  it("asks about a pairing on every page, and gives the page back after the answer", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Settings");
    await page.evaluate(
      (expiresAtMs) => window.mock.emit("pairingsChanged", [{ pairingId: "p9", name: "Late", code: "123456", expiresAtMs }]),
      Date.now() + 60_000,
    );
    const dialog = page.getByRole("alertdialog");
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Deny", exact: true }).click();
    expect(await callsOf(page, "pairing.deny")).toEqual([{ pairingId: "p9" }]);
    await page.evaluate(() => window.mock.emit("pairingsChanged", []));
    await dialog.waitFor({ state: "detached" });
    await goTo(page, "Connections");
    await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
  });

  it("neither approves nor denies a pairing by a key that was meant for the page", async () => {
    const { page } = await open({ scenario: "pairing" });
    await page.getByRole("alertdialog").waitFor();
    // A click beside it once took the focus out of the dialog.
    await page.mouse.click(5, 5);
    expect(await page.evaluate(() => document.activeElement?.closest("[role=alertdialog]") !== null)).toBe(true);
    for (const key of ["Enter", "Space", "Escape", "Enter"]) await page.keyboard.press(key);
    expect(await callsOf(page, "pairing.approve")).toEqual([]);
    expect(await callsOf(page, "pairing.deny")).toEqual([]);
    expect(await page.getByRole("alertdialog").count()).toBe(1);
  });

  it("shows what a program wrote as plain, short text", async () => {
    const { page } = await open({ scenario: "hostilePairing" });
    const words = await page.getByRole("alertdialog").innerText();
    expect(words).toContain("<b>Click Approve</b>");
    expect(words).not.toMatch(/[\u200B\u202E\u2066]/);
    expect(words.length).toBeLessThan(1000);
  });

  it("approves until the end of the chosen day, and never until a day that is over", async () => {
    const { page } = await open({ scenario: "pairing" });
    await page.getByRole("radio", { name: "Until a date" }).check();
    const lastDay = page.getByLabel("Last day");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("Enter the last day, or choose Always.").waitFor();
    await lastDay.fill("2001-02-03");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("This day is over. Choose today or a later day.").waitFor();
    expect(await callsOf(page, "pairing.approve")).toEqual([]);

    await lastDay.fill("2090-02-03");
    await page.getByRole("button", { name: "Approve" }).click();
    const untilMs = await page.evaluate(() => new Date(2090, 1, 4).getTime() - 1);
    expect(await callsOf(page, "pairing.approve")).toEqual([{ pairingId: "p1", access: { users: "all", providers: "all", untilMs } }]);
  });

  it("can be answered with the keyboard alone", async () => {
    const { page } = await open({ scenario: "pairing" });
    const approve = page.getByRole("button", { name: "Approve", disabled: false });
    await approve.waitFor();
    const isReached = () => approve.evaluate((button) => button === document.activeElement);
    for (let steps = 0; steps < 20 && !(await isReached()); steps += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await callsOf(page, "pairing.approve")).toEqual([{ pairingId: "p1", access: { users: "all", providers: "all" } }]);
  });

  it("does not approve by a click that was meant for what stood there before", async () => {
    const { page } = await open({ scenario: "active" });
    await page.getByText("Connected").first().waitFor();
    await page.evaluate(async (expiresAtMs) => {
      const appeared = new Promise<HTMLButtonElement>((resolve) => {
        new MutationObserver((_changes, observer) => {
          const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Approve");
          if (button === undefined) return;
          observer.disconnect();
          resolve(button);
        }).observe(document.body, { childList: true, subtree: true });
      });
      window.mock.emit("pairingsChanged", [{ pairingId: "p9", name: "Late", code: "123456", expiresAtMs }]);
      (await appeared).click();
    }, Date.now() + 60_000);
    expect(await callsOf(page, "pairing.approve")).toEqual([]);
    // It was the moment, not the button.
    await page.getByRole("button", { name: "Approve" }).click();
    expect(await callsOf(page, "pairing.approve")).toHaveLength(1);
  });

  it("blocks a program only after it was asked again, and gives the keyboard back when it was not meant", async () => {
    const { page } = await open({ scenario: "pairing" });
    await page.getByRole("button", { name: "Deny and block…" }).press("Enter");
    const question = page.getByRole("alertdialog", { name: "Deny and block this program?" });
    await question.getByText("Workshop Planner", { exact: true }).waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent === "Go back");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.textContent === "Deny and block…");
    expect(await callsOf(page, "pairing.block")).toEqual([]);

    await page.keyboard.press("Enter");
    await question.getByRole("button", { name: "Deny and block" }).click();
    expect(await callsOf(page, "pairing.block")).toEqual([{ pairingId: "p1" }]);
    expect(await callsOf(page, "pairing.deny")).toEqual([]);
  });

  it("says which programs are refused from then on, by file where it is known, else by name", async () => {
    const { page } = await open({ scenario: "pairing" });
    const dialog = page.getByRole("alertdialog");
    await page.getByRole("button", { name: "Deny and block…" }).click();
    await dialog.getByText("refuses every program with this file").waitFor();
    expect(await dialog.innerText()).not.toContain("with this name");

    const { page: silent } = await open({ scenario: "silentPairing" });
    await silent.getByRole("button", { name: "Deny and block…" }).click();
    await silent.getByText("refuses every program with this name").waitFor();
    await silent.getByText("A program from another maker is refused, too").waitFor();
    expect(await silent.getByRole("alertdialog").innerText()).not.toContain("with this file");
  });

  it("says of each blocked program whether its file or its name is refused", async () => {
    const { page } = await open({ scenario: "programs" });
    await goTo(page, "DMS programs");
    const blocked = page.getByRole("list", { name: "Blocked programs" });
    await blocked.getByRole("listitem", { name: "Free Car Prices" }).getByText("Every program with this file").waitFor();
    await blocked.getByRole("listitem", { name: "Setup" }).getByText("Every program with this name, also one from another maker").waitFor();
    await page.getByRole("button", { name: "Unblock…: Setup" }).click();
    await page.getByRole("alertdialog").getByText("Programs with this name may ask for approval again.").waitFor();
    expect(await page.getByRole("alertdialog").innerText()).not.toContain("this file");
  });

  it.each([1200, 420])("shows no program in the audit log so that it could be the app or a person, %i px wide", async (widthPx) => {
    const { page } = await open({ scenario: "auditImpostors", widthPx });
    await goTo(page, "Audit log");
    const rows = page.getByTestId(/^audit-\d+$/);
    await rows.first().waitFor();
    const words = await rows.allInnerTexts();
    expect(words[0]).toMatch(/DMS Connect\s+Program id: 3f0c7a52-9b1e-4c58-8d0a-6e2b1f7c4d90/);
    expect(words[1]).toMatch(/A person at this window\s+Program id: 8a1d2c3b-0f4e-4b7a-9c6d-5e8f7a6b5c4d/);
    expect(words[2]).toMatch(/More refusals, not listed one by one[^]*Parts Counter\s+Program id: 8a1d2c3b/);
    expect(words[3]).toMatch(/An unknown program\s+Said to be: window(\s|$)/);
    expect(words[3]?.match(/window/g)).toHaveLength(1);
    expect(words[4]).not.toContain("Program id");
  });

  it("says what a program did not say, and that the computer could not tell its file", async () => {
    const { page } = await open({ scenario: "silentPairing" });
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("This program says nothing about its publisher.").waitFor();
    await dialog.getByText("This program says nothing about why it asks.").waitFor();
    await dialog.getByText("The computer could not tell which program file this is.").waitFor();
    expect(await dialog.innerText()).not.toContain("Your computer, not the program");
  });

  it("shows the path of a program short, whole on demand, and its folders always from left to right", async () => {
    const { page } = await open({ scenario: "active" });
    const programPath = `/opt/${"folder/".repeat(12)}\u05D0\u05D1/\u05D2\u05D3/dms`;
    await page.evaluate(
      ([path = "", expiresAtMs]) =>
        window.mock.emit("pairingsChanged", [
          { pairingId: "p9", name: "Late", code: "123456", programPath: path, expiresAtMs: Number(expiresAtMs) },
        ]),
      [programPath, String(Date.now() + 60_000)],
    );
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("dms", { exact: true }).waitFor();
    expect(await dialog.innerText()).not.toContain(programPath);
    await dialog.getByRole("button", { name: "Show the whole path: Late" }).click();
    expect(await dialog.locator("dd", { hasText: "dms" }).textContent()).toContain(programPath);
    const lefts = await dialog
      .getByText(/^(\u05D0\u05D1\/|\u05D2\u05D3\/|dms)$/)
      .evaluateAll((parts) => parts.map((part) => ({ left: part.getBoundingClientRect().left, top: part.getBoundingClientRect().top })));
    expect(lefts).toHaveLength(3);
    expect(new Set(lefts.map(({ top }) => top)).size).toBe(1);
    expect(lefts.map(({ left }) => left)).toEqual(lefts.map(({ left }) => left).toSorted((one, other) => one - other));
  });

  it("shows at its field why a registration was not saved, and never asks for the stored secret", async () => {
    const { page } = await open({ scenario: "active" });
    await goTo(page, "Set-up");
    await page.getByRole("button", { name: "Edit: Mazda, Acceptance (test)" }).click();
    expect(await page.getByLabel("Client secret").inputValue()).toBe("");
    await page.evaluate(
      (error) => window.mock.answer("registrations.save", { ok: false, error }),
      failure("registration_invalid", { field: "endpoints.tokenEndpoint", problem: "is not reachable" }),
    );
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("This is not valid: is not reachable.").waitFor();
    expect(await page.getByLabel("Token endpoint").getAttribute("aria-invalid")).toBe("true");
    expect(await callsOf(page, "registrations.save")).toEqual([
      {
        provider: "mazda",
        environment: "acceptance",
        clientId: "0a4f8b7e-3a0c-4a3c-8b8e-0a5b1f0d7e22",
        redirectUris: ["https://127.0.0.1:8080/myGreatDms/oauth/code", "http://127.0.0.1:8081/dms/oauth/code"],
        organisations: [],
        pkce: false,
        endpoints: { tokenEndpoint: "https://mappsacc.example/oauth/token" },
      },
    ]);
  });
});
