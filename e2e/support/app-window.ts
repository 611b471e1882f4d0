/** What a person does in the app's window, by what they see. Invariant: it works for the table and for the cards of a narrow window. */
import type { Locator, Page } from "playwright";
import { connectionId } from "../../shared/views.ts";
import type { DealerUser } from "./test-dealer.ts";

/** The row or card of a connection. */
export function connectionRow(page: Page, user: DealerUser): Locator {
  return page.getByTestId(`connection-${connectionId(user)}`);
}

/** Waits until the connection says `state`, e.g. `Connected`. */
export async function waitForState(page: Page, user: DealerUser, state: string): Promise<void> {
  await connectionRow(page, user).getByText(state, { exact: true }).waitFor();
}

/** Fills the Connect dialog of the user's provider and confirms it. */
export async function startConnect(page: Page, { providerName, user }: DealerUser): Promise<void> {
  await page.getByRole("button", { name: `Connect ${providerName}`, exact: true }).click();
  const dialog = page.getByRole("dialog", { name: `Connect ${providerName}` });
  await dialog.getByLabel("User id").fill(user);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Starts the sign-in of a connection that needs one. */
export async function reconnect(page: Page, { providerName, user }: DealerUser): Promise<void> {
  await page.getByRole("button", { name: `Reconnect: ${providerName}, ${user}` }).click();
}

/** Ends the grant at the provider, with the question answered. */
export async function revoke(page: Page, { providerName, user }: DealerUser): Promise<void> {
  await page.getByRole("button", { name: `Revoke…: ${providerName}, ${user}` }).click();
  await answerQuestion(page, "Revoke");
}

/** Deletes the connection here, with the question answered. */
export async function forget(page: Page, user: DealerUser): Promise<void> {
  await page.getByRole("button", { name: `Forget…: ${user.providerName}, ${user.user}` }).click();
  await answerQuestion(page, "Forget");
}

/** The open pairing prompt. */
export function pairingPrompt(page: Page): Locator {
  return page.getByRole("alertdialog", { name: "A program wants to use your connections" });
}

/** The six digits of the open pairing prompt. */
export async function pairingCode(page: Page): Promise<string> {
  return (await pairingPrompt(page).getByTestId("pairing-code").innerText()).replaceAll(/\D/g, "");
}

/** Answers the open pairing prompt. */
export async function answerPairing(page: Page, answer: "Approve" | "Deny"): Promise<void> {
  const prompt = pairingPrompt(page);
  await prompt.getByRole("button", { name: answer, exact: true }).click();
  await prompt.waitFor({ state: "detached" });
}

/** Goes to a page by the navigation. */
export async function goTo(page: Page, name: "Connections" | "DMS programs" | "Set-up" | "Audit log" | "Settings"): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

async function answerQuestion(page: Page, answer: string): Promise<void> {
  const question = page.getByRole("alertdialog");
  await question.getByRole("button", { name: answer, exact: true }).click();
  await question.waitFor({ state: "detached" });
}
