/**
 * Says yes to everything that a person would be asked while `--serve` runs. Invariant: it goes through the real window and the
 * real provider pages, and tells each yes; nothing in the app itself is switched off.
 */
import { stripVTControlCharacters } from "node:util";
import type { Locator } from "playwright";
import { pairingCode, pairingPrompt } from "../../e2e/support/app-window.ts";
import type { Stage } from "./stage.ts";

type Say = (line: string) => void;

/** Goes on until the app's window is gone. */
export async function approvePairings({ app: { page } }: Stage, say: Say): Promise<void> {
  const prompt = pairingPrompt(page);
  while (!page.isClosed()) {
    await prompt.waitFor({ timeout: 0 });
    await approvePairing(prompt, await pairingCode(page), say).catch(() => {
      if (!page.isClosed()) say("The pairing ended before it was approved.");
    });
  }
}

async function approvePairing(prompt: Locator, code: string, say: Say): Promise<void> {
  // The program's own words: they must not steer the terminal.
  const name = stripVTControlCharacters(await prompt.getByRole("definition").first().innerText());
  say(`The program "${name}" asks to be paired. Its code must be ${code}.`);
  await prompt.getByRole("button", { name: "Approve", exact: true }).click();
  // The next program's prompt may follow at once.
  await prompt.filter({ hasText: code }).waitFor({ state: "detached" });
  say(`The program "${name}" was approved.`);
}

/** Goes on until the app has ended. */
export async function approveSignIns(stage: Stage, say: Say): Promise<void> {
  for (;;) {
    const url = new URL(await stage.app.nextOpenedUrl());
    // RFC 6749 section 4.1.1: an authorization request names its client. Other pages need no answer.
    if (url.searchParams.has("client_id")) void approveSignIn(stage, url, say);
  }
}

async function approveSignIn({ browser, origins }: Stage, url: URL, say: Say): Promise<void> {
  const provider = url.origin === origins.mazda ? "Mazda" : "Webfleet";
  try {
    const page = await browser.decide(url.href, "Approve");
    say(`A sign-in at ${provider} was approved.`);
    await page.context().close();
  } catch {
    say(`A sign-in at ${provider} could not be finished.`);
  }
}
