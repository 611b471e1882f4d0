/** The whole story of a dealer's day at both providers, and afterwards the search for secrets where none may be. */
import { answerPairing, connectionRow, forget, pairingCode, revoke, startConnect, waitForState } from "../support/app-window.ts";
import { expect, test } from "../support/dealer-test.ts";
import { issuedSecrets, secretByDesign } from "../support/issued-secrets.ts";
import { callDemoApi, selector, withSession } from "../support/program-session.ts";
import { pairingCodeLine } from "../support/sample-program.ts";
import { findInText, searchFolder } from "../support/secret-search.ts";
import { mazdaUser, organisation, webfleetUser } from "../support/test-dealer.ts";

test("a dealer connects Mazda and Webfleet, a program uses both, and both are ended again, leaving no secret behind", async ({
  dealer,
  app,
  person,
}) => {
  const { page } = app;
  const pages: string[] = [];
  const keepPage = async (): Promise<void> => {
    pages.push(await page.content(), await page.locator("body").innerText());
  };

  await test.step("Connect Mazda: the browser's last page carries no code", async () => {
    await startConnect(page, mazdaUser);
    await waitForState(page, mazdaUser, "Signing in");
    const browserPage = await person.decide(await app.nextOpenedUrl(), "Approve");
    await expect(browserPage.getByRole("heading", { name: `${mazdaUser.user} is now connected to Mazda.` })).toBeVisible();
    expect(new URL(browserPage.url()).search).toBe("");
    await waitForState(page, mazdaUser, "Connected");
  });
  await test.step("Connect Webfleet", () => dealer.connect(app, webfleetUser));
  await test.step("both show when access and sign-in end", async () => {
    for (const user of [mazdaUser, webfleetUser]) await expect(connectionRow(page, user).locator("time")).toHaveCount(2);
    await keepPage();
  });

  await test.step("a program pairs with the code that both sides show, and calls the API", async () => {
    const program = dealer.program(mazdaUser);
    const [, code] = await program.printed(pairingCodeLine);
    expect(await pairingCode(page)).toBe(code);
    await keepPage();
    await answerPairing(page, "Approve");
    expect(await program.ended).toBe(0);
    expect(program.output()).toContain(`X-mazda-org: ${organisation}`);
    expect(program.output()).toContain("Status: 200");
    expect(await dealer.program(webfleetUser).ended).toBe(0);
  });
  await test.step("the APIs see the user and the organisation", () =>
    withSession(dealer.workplace, async (client) => {
      const mazda = await callDemoApi(client, dealer.origins, mazdaUser, dealer.mazdaCertificatePem);
      expect(mazda).toMatchObject({ status: 200, body: { user: mazdaUser.user, organisation } });
      const webfleet = await callDemoApi(client, dealer.origins, webfleetUser, dealer.mazdaCertificatePem);
      expect(webfleet).toMatchObject({ status: 200, body: { user: webfleetUser.user } });
    }));
  await test.step("a token that the API refuses is renewed", async () => {
    const before = dealer.mazda.counters().refreshes;
    dealer.mazda.expireAccessTokens();
    const program = dealer.program(mazdaUser);
    expect(await program.ended).toBe(0);
    expect(program.output()).toMatch(/Status: 401[\s\S]*Status: 200/);
    expect(dealer.mazda.counters().refreshes).toBe(before + 1);
  });
  const secrets = await issuedSecrets(dealer);
  await test.step("Revoke at Webfleet and Forget Mazda", async () => {
    await keepPage();
    await revoke(page, webfleetUser);
    await connectionRow(page, webfleetUser).waitFor({ state: "detached" });
    await expect.poll(() => dealer.webfleet.counters().revocations).toBeGreaterThan(0);
    await forget(page, mazdaUser);
    await connectionRow(page, mazdaUser).waitFor({ state: "detached" });
    // By its role: an open dialog hides the page from assistive technology, and a closed one must give it back.
    await expect(page.getByRole("heading", { level: 1, name: "Connections" })).toBeVisible();
    await keepPage();
  });
  await test.step("the program is told that nobody is connected", () =>
    withSession(dealer.workplace, async (client) => {
      for (const user of [mazdaUser, webfleetUser]) {
        const token = await client.tokenGet(selector(user));
        expect(token).toMatchObject({ ok: false, error: { code: "not_connected" } });
      }
    }));

  await test.step("no secret lies anywhere", async () => {
    const processArguments = app.processArguments().join("\n");
    expect(await app.close()).toBe(0);
    const found = [
      ...searchFolder(dealer.workplace.folder, secrets, secretByDesign).found,
      ...findInText("the window", pages.join("\n"), secrets),
      ...findInText("the process arguments", processArguments, secrets),
      ...findInText("the app's output", app.output(), secrets),
    ];
    expect(found).toEqual([]);
  });
});

test("a connected app leaves no secret readable in its profile, even when it is killed", async ({ dealer, app }) => {
  await dealer.connect(app, mazdaUser);
  await dealer.connect(app, webfleetUser);
  const program = dealer.program(mazdaUser);
  const [, code] = await program.printed(pairingCodeLine);
  expect(await pairingCode(app.page)).toBe(code);
  await answerPairing(app.page, "Approve");
  expect(await program.ended).toBe(0);
  const secrets = await issuedSecrets(dealer);
  // Both codes, both access tokens, both refresh tokens, both client secrets and the program's key.
  expect(secrets.length).toBeGreaterThanOrEqual(9);
  const { folder } = dealer.workplace;
  // While it runs, with what it keeps in its temporary folder, too.
  expect(searchFolder(folder, secrets, secretByDesign).found).toEqual([]);
  await app.kill();
  // What is no secret is found: the search does look into these files.
  const publicPart = [{ name: "the user", value: mazdaUser.user }];
  expect(searchFolder(folder, publicPart).found).toContainEqual(expect.stringMatching(/^the user in profile\/vault\.sqlite/));
  expect(searchFolder(folder, secrets, secretByDesign).found).toEqual([]);
  expect(findInText("the app's output", app.output(), secrets)).toEqual([]);
});
