/**
 * The person at the provider's pages, in a real Chromium. Invariant: they see and click what a person would; the only thing
 * they know of a page is where its fields are.
 */
import type { Locator, Page } from "playwright";
import { findChromium, installChromiumSentence } from "../../build/chromium.ts";
import { type PersonAtBrowser, startPersonAtBrowser } from "../../e2e/support/person-at-browser.ts";

/** Where a provider's consent page has its buttons. Sign-in pages are all alike here: they have Keycloak's ids. */
export interface ConsentButtons {
  readonly approve: (page: Page) => Locator;
  readonly refuse: (page: Page) => Locator;
}

export const standInButtons: ConsentButtons = {
  approve: (page) => page.getByRole("button", { name: "Approve", exact: true }),
  refuse: (page) => page.getByRole("button", { name: "Refuse", exact: true }),
};

export interface SignInDetails {
  readonly userName: string;
  readonly password: string;
}

/** The end of the way through the browser: DMS Connect's own page. */
const resultPage = /\/dms-connect\/result\//;

export class Person {
  readonly #browser: PersonAtBrowser;

  private constructor(browser: PersonAtBrowser) {
    this.#browser = browser;
  }

  static async arrive(): Promise<Person> {
    return new Person(await startPersonAtBrowser());
  }

  /** Opens a page as a person who has just started the browser would see it. */
  open(url: string): Promise<Page> {
    return this.#browser.open(url);
  }

  /** Types name and password, and sends them. */
  async signIn(page: Page, { userName, password }: SignInDetails): Promise<void> {
    await page.locator("#username").fill(userName);
    await page.locator("#password").fill(password);
    await page.locator("#kc-login").click();
  }

  /** Approves or refuses, and waits for DMS Connect's page. A provider that remembers an approval does not ask again. */
  async decide(page: Page, button: Locator): Promise<void> {
    await Promise.race([button.waitFor(), page.waitForURL(resultPage)]);
    if (!resultPage.test(page.url())) await button.click();
    await page.waitForURL(resultPage);
  }

  leave(): Promise<void> {
    return this.#browser.close();
  }
}

/** Whether there is a browser for a person; says what is not exercised without one. */
export function hasBrowser(what: string): boolean {
  if (findChromium() !== undefined) return true;
  process.stderr.write(`Not exercised: ${what}. ${installChromiumSentence}\n`);
  return false;
}
