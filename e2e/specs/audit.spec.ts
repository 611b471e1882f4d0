/** The audit log: who used what and who was refused, proved, exported, and found out when somebody has changed it. */
import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { z } from "zod";
import { answerPairing, goTo } from "../support/app-window.ts";
import { runCommandLine } from "../support/command-line.ts";
import { type Dealer, expect, test } from "../support/dealer-test.ts";
import { issuedSecrets } from "../support/issued-secrets.ts";
import { selector, withSession } from "../support/program-session.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { findInText } from "../support/secret-search.ts";
import { mazdaUser, otherMazdaUser } from "../support/test-dealer.ts";
import { hideRefusal } from "../support/vault-files.ts";
import { setPassphrase } from "../support/vault-window.ts";

const passphrase = "correct horse battery staple ü";

test("every grant and refusal is in the log, which is proved, and whose export anybody can check", async ({ dealer, app }) => {
  const { page } = app;
  const { folder } = dealer.workplace;
  await dealer.connect(app, mazdaUser);
  await useFromProgram(dealer, page);

  await test.step("the window shows them in words", async () => {
    await goTo(page, "Audit log");
    await expect(entries(page, "Request for access").filter({ hasText: mazdaUser.user }).getByText("Done").first()).toBeVisible();
    await page.getByRole("checkbox", { name: "Only what was refused or failed" }).check();
    const refused = entries(page, `${otherMazdaUser.user} is not connected to Mazda.`);
    await expect(refused).toHaveCount(1);
    await page.getByLabel("Search").fill("NOT_CONNECTED");
    await expect(refused).toHaveCount(1);
    await page.getByRole("checkbox", { name: "Only what was refused or failed" }).uncheck();
    await page.getByLabel("Search").fill("");
  });
  await test.step("the check proves the log, and is in it", async () => {
    await page.getByRole("button", { name: "Check the log" }).click();
    await expect(page.getByText("The log is complete.")).toBeVisible();
    await page.getByRole("button", { name: "Show new entries" }).click();
    await expect(entries(page, "Check of the log")).toHaveCount(1);
  });

  const file = join(folder, "log.jsonl");
  const table = join(folder, "log.csv");
  await test.step("both exports are saved for their owner alone", async () => {
    await app.setDialogAnswer(file);
    await page.getByRole("button", { name: "Export for a program (JSON lines)…" }).click();
    await expect(page.getByText("The log was saved.")).toBeVisible();
    await app.setDialogAnswer(table);
    await page.getByRole("button", { name: "Export for a spreadsheet (CSV)…" }).click();
    await expect(page.getByText("The log was saved.")).toBeVisible();
    await expect.poll(() => readFile(table, "utf8").catch(() => "")).toContain("audit.export");
    if (process.platform !== "win32") expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
  await test.step("the command line exports it beside the running app, which tells of it", async () => {
    const exported = await runCommandLine(["audit", "export", "--format", "jsonl"], dealer);
    expect(exported).toMatchObject({ exitCode: 0, stderr: "" });
    const saved = checkedRows(await readFile(file, "utf8"));
    const printed = checkedRows(exported.stdout);
    expect(printed.slice(0, saved.length)).toEqual(saved);
    expect(printed.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(
      expect.arrayContaining(["pairing ok", "token.get ok", "token.get not_connected", "audit.verify ok", "audit.export ok"]),
    );
    await page.getByRole("button", { name: "Show new entries" }).click();
    await expect(entries(page, "Export of the log").filter({ hasText: "Command line" })).toHaveCount(1);
  });
  await test.step("no secret is in it", async () => {
    const texts = [await readFile(file, "utf8"), await readFile(table, "utf8"), await page.locator("body").innerText()];
    expect(findInText("the log", texts.join("\n"), await issuedSecrets(dealer))).toEqual([]);
  });
});

test("a refusal that somebody has hidden in the file is found, by the window and by the command line", async ({ dealer, app }) => {
  const { profile, folder } = dealer.workplace;
  const passphraseFile = join(folder, "passphrase.txt");
  await writeFile(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  const verify = ["audit", "verify", "--vault-passphrase-file", passphraseFile];
  const options = { ...dealer, env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, "no-session-bus")}` } };
  await dealer.connect(app, mazdaUser);
  await useFromProgram(dealer, app.page);
  await setPassphrase(app.page, passphrase);
  const proved = await runCommandLine(verify, options);
  expect(proved).toMatchObject({ exitCode: 0, stderr: "" });
  expect(proved.stdout).toMatch(/^audit log: \d+ rows, unbroken\nrow \d+: [0-9a-f]{64}\n$/);
  expect(await app.close()).toBe(0);
  const sequence = hideRefusal(profile);

  const { page } = await dealer.launch("none");
  await expect(page.getByText(`The audit log does not fit together from entry ${sequence} on`)).toBeVisible();
  await goTo(page, "Audit log");
  await page.getByRole("button", { name: "Check the log" }).click();
  await expect(page.getByText(`Somebody has changed entry ${sequence} of the log.`)).toBeVisible();
  const broken = await runCommandLine(verify, options);
  expect(broken).toMatchObject({ exitCode: 15, stderr: "" });
  expect(broken.stdout).toContain(`audit log: broken: row ${sequence} was changed`);
});

/** The sample program is paired and gets a token; then it asks for a user who is not connected. */
async function useFromProgram(dealer: Dealer, page: Page): Promise<void> {
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(page, "Approve");
  expect(await program.ended).toBe(0);
  await withSession(dealer.workplace, async (client) => {
    expect(await client.tokenGet(selector(otherMazdaUser))).toMatchObject({ ok: false, error: { code: "not_connected" } });
  });
}

/** The rows or cards that hold this text. */
function entries(page: Page, text: string): Locator {
  return page.getByTestId(/^audit-\d+$/).filter({ hasText: text });
}

const rowSchema = z.object({ sequence: z.int(), action: z.string(), outcome: z.string(), hash: z.string() });

/** Reads an export as docs/audit.md says, and nothing else; the chain must be whole. */
function checkedRows(jsonLines: string): readonly z.infer<typeof rowSchema>[] {
  let hash = Buffer.alloc(32);
  return jsonLines
    .trimEnd()
    .split("\n")
    .map((line, index) => {
      hash = createHash("sha256")
        .update(hash)
        .update(`${line.slice(0, -75)}}`)
        .digest();
      const row = rowSchema.parse(JSON.parse(line));
      expect(row).toMatchObject({ sequence: index + 1, hash: hash.toString("hex") });
      return row;
    });
}
