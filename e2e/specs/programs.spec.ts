/** What a person and an administrator decide about DMS programs. */
import { realpathSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answerPairing, goTo, pairingCode, pairingPrompt } from "../support/app-window.ts";
import { expect, test } from "../support/dealer-test.ts";
import { selector, withSession } from "../support/program-session.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { mazdaUser } from "../support/test-dealer.ts";

const clientKey = Buffer.alloc(32, 9).toString("base64url");
const managed = { clientId: "managed-dms", clientKey, name: "Managed DMS", users: "all", providers: ["mazda"] };

test("a program is denied and blocked, refused without a question, and asks again after a wait once it is unblocked", async ({
  dealer,
  app,
}) => {
  const { page } = app;
  await test.step("window and notification show name, file and code", async () => {
    const program = dealer.program(mazdaUser);
    const [, code = ""] = await program.printed(pairingCodeLine);
    const prompt = pairingPrompt(page);
    expect(await pairingCode(page)).toBe(code);
    const shown = app.notifications()?.at(-1);
    if (shown !== undefined) expect(shown).toContain(`${code.slice(0, 3)} ${code.slice(3)}`);
    if (process.platform === "linux") {
      const file = realpathSync(process.execPath);
      const whole = prompt.getByRole("button", { name: "Show the whole path" });
      // A short path is shown as it is.
      if (await whole.isVisible()) await whole.click();
      await expect(prompt).toContainText(file);
      expect(shown ?? file.slice(-30)).toContain(file.slice(-30));
    }
    await prompt.getByRole("button", { name: "Deny and block…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Deny and block", exact: true }).click();
    expect(await program.ended).toBe(1);
    expect(program.output()).toContain("The pairing was refused in DMS Connect.");
  });
  await test.step("it is refused without a question", async () => {
    const program = dealer.program(mazdaUser);
    expect(await program.ended).toBe(1);
    expect(program.output()).toContain("This program was blocked in DMS Connect.");
    await expect(pairingPrompt(page)).toBeHidden();
  });
  await test.step("unblocked, it has to wait like any program that was denied", async () => {
    await goTo(page, "DMS programs");
    await page.getByRole("button", { name: /^Unblock…/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Unblock", exact: true }).click();
    await expect(page.getByRole("button", { name: /^Unblock…/ })).toBeHidden();
    const program = dealer.program(mazdaUser);
    expect(await program.ended).toBe(1);
    expect(program.output()).toMatch(/wait/i);
  });
});

test("changed access works at once, and a removed program is a stranger", async ({ dealer, app }) => {
  const { page } = app;
  await dealer.connect(app, mazdaUser);
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(page, "Approve");
  expect(await program.ended).toBe(0);
  await goTo(page, "DMS programs");
  await withSession(dealer.workplace, async (session) => {
    expect(await session.tokenGet(selector(mazdaUser))).toMatchObject({ ok: true });
    await page.getByRole("button", { name: /^Change access…/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "Only these users" }).click();
    await dialog.getByRole("textbox", { name: "User ids, one on each line" }).fill("somebody.else");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await session.closed;
  });
  await expect(page.getByRole("definition").filter({ hasText: "somebody.else" })).toBeVisible();
  await withSession(dealer.workplace, async (session) => {
    expect(await session.tokenGet(selector(mazdaUser))).toMatchObject({ ok: false, error: { code: "not_permitted" } });
  });
  await page.getByRole("button", { name: /^Remove…/ }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("No program is approved yet")).toBeVisible();
  await expect(withSession(dealer.workplace, async () => undefined)).rejects.toThrow("the broker refused the session");
});

test("a program file that a person imports sets a program up without a question", async ({ dealer, app }) => {
  const file = join(dealer.workplace.folder, "programs.json");
  await writeFile(file, JSON.stringify({ version: 1, programs: [managed] }), { mode: 0o600 });
  await app.setDialogAnswer(file);
  await goTo(app.page, "DMS programs");
  await app.page.getByRole("button", { name: "Import program file" }).click();
  await expect(app.page.getByText("1 program was set up.")).toBeVisible();
  await expect(app.page.getByText("From a file")).toBeVisible();
  expect(await app.page.content()).not.toContain(clientKey);
});

test("the computer's policy names the programs and forbids all others to ask", async ({ dealer }) => {
  const { page } = await dealer.launch("import", { policy: { version: 1, pairing: "forbidden", programs: [managed] } });
  const program = dealer.program(mazdaUser);
  expect(await program.ended).toBe(1);
  expect(program.output()).toContain("On this computer programs may not ask for approval.");
  await goTo(page, "DMS programs");
  await expect(page.getByText("New programs cannot ask for approval on this computer.")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Managed DMS" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^(Change access|Remove)…/ })).toBeHidden();
});
