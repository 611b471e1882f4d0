/** The vault's key and who may use it: changed by a button, kept from a second process, and nowhere readable. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { answerPairing, goTo, waitForState } from "../support/app-window.ts";
import { runCommandLine } from "../support/command-line.ts";
import { expect, test } from "../support/dealer-test.ts";
import { issuedSecrets, secretByDesign } from "../support/issued-secrets.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { findInText, searchFolder } from "../support/secret-search.ts";
import { mazdaUser, webfleetUser } from "../support/test-dealer.ts";
import { backupsIn, backupWaitMs } from "../support/vault-files.ts";
import { changeKey, exportVault, setPassphrase } from "../support/vault-window.ts";

const passphrase = "correct horse battery staple ü";
const passphraseOfFile = "another five words for a file";

test("a new key keeps the connections, makes a backup of its own and leaves none that the old key opens", async ({ dealer, app }) => {
  const { profile } = dealer.workplace;
  await dealer.connect(app, mazdaUser);
  expect(await app.close()).toBe(0);
  const again = await dealer.launch("none");
  await expect.poll(() => backupsIn(profile), { timeout: backupWaitMs }).toHaveLength(1);
  const [old] = backupsIn(profile);
  await changeKey(again.page);
  const after = backupsIn(profile);
  expect(after).toHaveLength(1);
  expect(after).not.toContain(old);
  expect(await again.close()).toBe(0);

  const third = await dealer.launch("none");
  await waitForState(third.page, mazdaUser, "Connected");
});

test("the command line keeps off the vault of a running app, and checks it afterwards with the passphrase alone", async ({
  dealer,
  app,
}) => {
  const { workplace } = dealer;
  await dealer.connect(app, mazdaUser);
  await setPassphrase(app.page, passphrase);
  const passphraseFile = join(workplace.folder, "passphrase.txt");
  await writeFile(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  const verify = ["vault", "verify", "--vault-passphrase-file", passphraseFile];
  const refused = await runCommandLine(verify, { workplace });
  expect(refused).toMatchObject({ exitCode: 14, stdout: "" });
  expect(refused.stderr).toContain("The vault of DMS Connect is open in another program.");
  await goTo(app.page, "Connections");
  await waitForState(app.page, mazdaUser, "Connected");
  expect(await app.close()).toBe(0);

  const withoutKeyStore = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(workplace.folder, "no-session-bus")}` };
  const verified = await runCommandLine(verify, { workplace, env: withoutKeyStore });
  expect(verified).toMatchObject({ exitCode: 0, stderr: "" });
  expect(verified.stdout).toContain("connections: 1 open");
  expect(verified.stdout).toMatch(/audit log: \d+ rows, unbroken/);
  const again = await dealer.launch("none");
  await waitForState(again.page, mazdaUser, "Connected");
});

test("after a backup, a passphrase, a new key and an export no secret is readable anywhere", async ({ dealer, app }) => {
  const { folder, profile } = dealer.workplace;
  const { page } = app;
  const exported = join(folder, "export.json");
  await dealer.connect(app, mazdaUser);
  await dealer.connect(app, webfleetUser);
  const program = dealer.program(mazdaUser);
  await program.printed(pairingCodeLine);
  await answerPairing(page, "Approve");
  expect(await program.ended).toBe(0);

  await setPassphrase(page, passphrase);
  // Makes a backup, too.
  await changeKey(page, passphrase);
  await app.setDialogAnswer(exported);
  await exportVault(page, { passphrase: passphraseOfFile, includeSignIns: true });
  if (process.platform !== "win32") expect((await stat(exported)).mode & 0o777).toBe(0o600);
  const [backup] = backupsIn(profile);
  const shown = [await page.content(), await page.locator("body").innerText()].join("\n");

  const secrets = [
    ...(await issuedSecrets(dealer)),
    { name: "the vault's passphrase", value: passphrase },
    { name: "the passphrase of the export", value: passphraseOfFile },
  ];
  const running = searchFolder(folder, secrets, secretByDesign);
  expect(running.files).toEqual(
    expect.arrayContaining(["export.json", `profile/${backup}`, "profile/vault.sqlite", "profile/vault-keys.json"]),
  );
  expect(running.found).toEqual([]);
  const processArguments = app.processArguments().join("\n");
  expect(await app.close()).toBe(0);
  expect([
    ...searchFolder(folder, secrets, secretByDesign).found,
    ...findInText("the window", shown, secrets),
    ...findInText("the process arguments", processArguments, secrets),
    ...findInText("the app's output", app.output(), secrets),
  ]).toEqual([]);
  // Nor who signs in, in the file that leaves the computer.
  const users = [mazdaUser, webfleetUser].map(({ user }) => ({ name: "a user", value: user }));
  expect(findInText("the export", await readFile(exported, "utf8"), users)).toEqual([]);
});
