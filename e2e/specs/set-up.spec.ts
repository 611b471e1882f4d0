/** Registrations by hand and by file, and pictures of every page. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../build/bundles.ts";
import { goTo, waitForState } from "../support/app-window.ts";
import { expect, test } from "../support/dealer-test.ts";
import { findInFolder, findInText } from "../support/secret-search.ts";
import { mazdaClientSecret, mazdaUser, registrations } from "../support/test-dealer.ts";

test("a registration entered by hand connects, and its secret is neither shown again nor left readable", async ({ dealer }) => {
  const app = await dealer.launch("none");
  const { page } = app;
  const pages: string[] = [];
  const keepPage = async (): Promise<void> => {
    pages.push(await page.content(), await page.locator("body").innerText());
  };
  const [mazda] = registrations(dealer.origins, [`https://127.0.0.1:${dealer.callbackPorts[0]}/dms/oauth/code`]);
  await goTo(page, "Set-up");
  await page.getByRole("button", { name: "Enter by hand" }).click();
  await page.getByLabel("Provider and environment").selectOption({ label: "Mazda, Acceptance (test)" });
  await page.getByLabel("Client id").fill(mazda?.clientId ?? "");
  await page.getByLabel("Client secret").fill(mazdaClientSecret);
  await page.getByLabel("Redirect URIs").fill(mazda?.redirectUris.join("\n") ?? "");
  await page.getByLabel("Organisations").fill(mazda?.organisations.join("\n") ?? "");
  await page.getByRole("button", { name: "Advanced" }).click();
  await page.getByLabel("Authorization endpoint").fill(mazda?.endpoints?.authorizationEndpoint ?? "");
  await page.getByLabel("Token endpoint").fill(mazda?.endpoints?.tokenEndpoint ?? "");
  await page.getByRole("button", { name: "Save" }).click();

  await expect(page.getByText("Stored. It is never shown.")).toBeVisible();
  await keepPage();
  await page.getByRole("button", { name: "Edit: Mazda, Acceptance (test)" }).click();
  await expect(page.getByLabel("Client secret")).toHaveValue("");
  await keepPage();
  // An empty secret keeps the stored one, as the sign-in below proves.
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Stored. It is never shown.")).toBeVisible();

  await goTo(page, "Connections");
  await dealer.connect(app, mazdaUser);
  await keepPage();

  const processArguments = app.processArguments().join("\n");
  expect(await app.close()).toBe(0);
  const secrets = [{ name: "Mazda's client secret", value: mazdaClientSecret }];
  // What is no secret is found: the search does look into the files and pages that hold the registration.
  const publicPart = [{ name: "the client id", value: mazda?.clientId ?? "" }];
  expect(findInFolder(dealer.workplace.profile, publicPart)).not.toEqual([]);
  expect(findInText("the window", pages.join("\n"), publicPart)).not.toEqual([]);
  const found = [
    ...findInFolder(dealer.workplace.profile, secrets),
    ...findInText("the window", pages.join("\n"), secrets),
    ...findInText("the process arguments", processArguments, secrets),
    ...findInText("the app's output", app.output(), secrets),
  ];
  expect(found).toEqual([]);
});

test("a vendor's file is imported through the dialog, and a cancelled dialog changes nothing", async ({ dealer }) => {
  const app = await dealer.launch("none");
  const { page } = app;
  await goTo(page, "Set-up");
  await app.setDialogAnswer(undefined);
  await page.getByRole("button", { name: "Import the file from your DMS vendor" }).click();
  await expect(page.getByText("No provider is set up yet")).toBeVisible();
  await app.setDialogAnswer(dealer.workplace.registrationFile);
  await page.getByRole("button", { name: "Import the file from your DMS vendor" }).click();
  await expect(page.getByText("Stored. It is never shown.")).toHaveCount(2);
  await goTo(page, "Connections");
  await dealer.connect(app, mazdaUser);
});

test("every page looks right, light and dark, wide and narrow", async ({ dealer, app }) => {
  const folder = join(repositoryRoot, "test-results/screens");
  mkdirSync(folder, { recursive: true });
  const { page } = app;
  await dealer.connect(app, mazdaUser);
  await waitForState(page, mazdaUser, "Connected");
  for (const [width, wideness] of [
    [1200, "wide"],
    [420, "narrow"],
  ] as const) {
    await page.setViewportSize({ width, height: 820 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const name of ["Connections", "DMS programs", "Set-up", "Settings"] as const) {
        await goTo(page, name);
        const file = `${name.toLowerCase().replaceAll(" ", "-")}-${colorScheme}-${wideness}.png`;
        const picture = await page.screenshot({ path: join(folder, file), animations: "disabled" });
        expect(picture.length).toBeGreaterThan(5_000);
        expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBeLessThanOrEqual(0);
      }
    }
  }
});
