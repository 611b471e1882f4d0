/** What can happen between a Connect click and its end. */
import { requestLoopback } from "../providers/loopback-request.ts";
import { mazdaAuthorizeErrors } from "../providers/mazda-options.ts";
import { connectionRow, startConnect, waitForState } from "../support/app-window.ts";
import { expect, test } from "../support/dealer-test.ts";
import { isTaken, occupy } from "../support/free-port.ts";
import { answerConsentPage } from "../support/person-at-browser.ts";
import { mazdaUser, otherMazdaUser, webfleetUser } from "../support/test-dealer.ts";

test("two users sign in at once on the one fixed port, each with the own result", async ({ dealer, app, person }) => {
  await startConnect(app.page, mazdaUser);
  const johnsUrl = await app.nextOpenedUrl();
  await startConnect(app.page, otherMazdaUser);
  const janesUrl = await app.nextOpenedUrl();
  const redirectUris = [johnsUrl, janesUrl].map((url) => new URL(url).searchParams.get("redirect_uri"));
  expect(redirectUris[1]).toBe(redirectUris[0]);

  dealer.mazda.behaviour.signedInUserId = otherMazdaUser.user;
  const janesPage = await person.decide(janesUrl, "Approve");
  await expect(janesPage.getByRole("heading", { name: `${otherMazdaUser.user} is now connected to Mazda.` })).toBeVisible();
  await waitForState(app.page, otherMazdaUser, "Connected");
  await waitForState(app.page, mazdaUser, "Signing in");

  dealer.mazda.behaviour.signedInUserId = mazdaUser.user;
  const johnsPage = await person.decide(johnsUrl, "Approve");
  await expect(johnsPage.getByRole("heading", { name: `${mazdaUser.user} is now connected to Mazda.` })).toBeVisible();
  await waitForState(app.page, mazdaUser, "Connected");
});

test("Cancel ends the sign-in and closes the port", async ({ dealer, app }) => {
  const [port] = dealer.callbackPorts;
  await startConnect(app.page, mazdaUser);
  await app.nextOpenedUrl();
  expect(await isTaken(port)).toBe(true);
  await app.page.getByRole("button", { name: "Cancel sign-in" }).click();
  await waitForState(app.page, mazdaUser, "Not connected");
  await expect(app.page.getByText("The sign-in was cancelled.")).toBeVisible();
  await expect.poll(() => isTaken(port)).toBe(false);
});

test("a refused consent is explained in the browser and in the window", async ({ app, person }) => {
  for (const user of [mazdaUser, webfleetUser]) {
    const sentence = `Access to ${user.providerName} was not approved.`;
    await startConnect(app.page, user);
    const browserPage = await person.decide(await app.nextOpenedUrl(), "Refuse");
    await expect(browserPage.getByRole("heading", { name: sentence })).toBeVisible();
    await waitForState(app.page, user, "Not connected");
    await expect(connectionRow(app.page, user).getByText(sentence)).toBeVisible();
  }
});

test("each documented error of the authorization has its own sentence", async ({ dealer, app, person }) => {
  const sentences: Record<(typeof mazdaAuthorizeErrors)[number], string> = {
    invalid_request: "Mazda did not understand the sign-in request.",
    unauthorized_client: "Mazda does not allow this DMS to sign users in.",
    access_denied: "Access to Mazda was not approved.",
    unsupported_response_type: "Mazda does not offer this kind of sign-in.",
    invalid_scope: "Mazda does not know the scope that was asked for.",
    server_error: "Mazda had a problem of its own during sign-in.",
    temporary_unavailable: "Mazda is too busy for a sign-in right now.",
    temporarily_unavailable: "Mazda is too busy for a sign-in right now.",
  };
  for (const error of mazdaAuthorizeErrors) {
    dealer.mazda.behaviour.authorizeError = error;
    await startConnect(app.page, mazdaUser);
    const browserPage = await person.open(await app.nextOpenedUrl());
    await expect(browserPage.getByRole("heading", { name: sentences[error] })).toBeVisible();
    await expect(connectionRow(app.page, mazdaUser).getByText(sentences[error])).toBeVisible();
  }
});

test("a second click opens the same sign-in page again", async ({ app, person }) => {
  await startConnect(app.page, mazdaUser);
  const first = await app.nextOpenedUrl();
  await app.page.getByRole("button", { name: "Open the page again" }).click();
  expect((await app.nextOpenedUrl()) === first).toBe(true);
  await person.decide(first, "Approve");
  await waitForState(app.page, mazdaUser, "Connected");
});

test("neither a wrong state, nor a wrong Host, nor a browser's favicon request ends a sign-in", async ({ app, person }) => {
  await startConnect(app.page, webfleetUser);
  const authorizeUrl = await app.nextOpenedUrl();
  const redirectUri = new URL(authorizeUrl).searchParams.get("redirect_uri") ?? "";
  const state = new URL(authorizeUrl).searchParams.get("state") ?? "";
  const wrongState = await requestLoopback(`${redirectUri}?code=stolen&state=guessed`);
  expect(wrongState.status).toBe(400);
  expect(wrongState.text).toContain("This sign-in page is no longer expected.");
  const wrongHost = await requestLoopback(`${redirectUri}?code=stolen&state=${encodeURIComponent(state)}`, {
    headers: { Host: "dms.example" },
  });
  expect(wrongHost.status).toBeGreaterThanOrEqual(400);
  const favicon = await requestLoopback(new URL("/favicon.ico", redirectUri));
  expect(favicon.status).toBe(404);

  await waitForState(app.page, webfleetUser, "Signing in");
  await person.decide(authorizeUrl, "Approve");
  await waitForState(app.page, webfleetUser, "Connected");
});

test("a finished callback that is replayed during a second sign-in is not expected, and changes nothing", async ({
  dealer,
  app,
  person,
}) => {
  await startConnect(app.page, mazdaUser);
  const authorizeUrl = await app.nextOpenedUrl();
  const redirectUri = new URL(authorizeUrl).searchParams.get("redirect_uri") ?? "";
  const browserPage = await person.open(authorizeUrl);
  const callback = browserPage.waitForRequest((request) => request.url().startsWith(`${redirectUri}?`));
  await answerConsentPage(browserPage, "Approve");
  const callbackUrl = (await callback).url();
  expect(new URL(callbackUrl).searchParams.has("state")).toBe(true);
  await waitForState(app.page, mazdaUser, "Connected");

  await startConnect(app.page, otherMazdaUser);
  const secondUrl = await app.nextOpenedUrl();
  expect(new URL(secondUrl).searchParams.get("redirect_uri")).toBe(redirectUri);
  const countersBefore = dealer.mazda.counters();
  // In the same browser session as the sign-in, as a reloaded page would be.
  const replay = await browserPage.request.get(callbackUrl, { maxRedirects: 0 });
  expect(replay.status()).toBe(400);
  expect(await replay.text()).toContain("This sign-in page is no longer expected.");
  await waitForState(app.page, mazdaUser, "Connected");
  await waitForState(app.page, otherMazdaUser, "Signing in");
  expect(dealer.mazda.counters()).toEqual(countersBefore);

  dealer.mazda.behaviour.signedInUserId = otherMazdaUser.user;
  await person.decide(secondUrl, "Approve");
  await waitForState(app.page, otherMazdaUser, "Connected");
});

test("a port in use makes way for the next registered redirect URI, and is named when there is none", async ({ dealer, app, person }) => {
  const [first, second] = dealer.callbackPorts;
  const taken = await occupy(first);
  await startConnect(app.page, mazdaUser);
  const url = await app.nextOpenedUrl();
  expect(new URL(new URL(url).searchParams.get("redirect_uri") ?? "").port).toBe(String(second));
  await person.decide(url, "Approve");
  await waitForState(app.page, mazdaUser, "Connected");

  await expect.poll(() => isTaken(second)).toBe(false);
  const takenToo = await occupy(second);
  await app.page.getByRole("button", { name: "Connect Mazda", exact: true }).click();
  const dialog = app.page.getByRole("dialog", { name: "Connect Mazda" });
  await dialog.getByLabel("User id").fill(otherMazdaUser.user);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(app.page.getByText(`Port ${first} on this computer is used by another program`).first()).toBeVisible();
  for (const server of [taken, takenToo]) server.close();
});
