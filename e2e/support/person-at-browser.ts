/** The person at the provider's page, in a browser that shares nothing with the app. Invariant: each sign-in gets a browser session of its own. */
import { type Browser, chromium, type Page } from "playwright";
import { chromiumSandbox, findChromium, installChromiumSentence, launchArguments } from "../../build/chromium.ts";

export type Decision = "Approve" | "Refuse";

export interface PersonAtBrowser {
  /** Opens an address in a fresh session; the page is loaded. */
  readonly open: (url: string) => Promise<Page>;
  /** Answers the consent page; the returned page shows how the sign-in ended. */
  readonly decide: (url: string, decision: Decision) => Promise<Page>;
  readonly close: () => Promise<void>;
}

/**
 * Starts the browser.
 *
 * @throws with what to install when there is none
 */
export async function startPersonAtBrowser({ headed }: { readonly headed: boolean } = { headed: false }): Promise<PersonAtBrowser> {
  const choice = findChromium();
  if (choice === undefined) throw new Error(installChromiumSentence);
  const browser = await chromium.launch({
    ...choice,
    headless: !headed,
    chromiumSandbox,
    args: [...launchArguments],
    // Playwright would end this whole process at a signal, before anything is cleared away.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const open = (url: string): Promise<Page> => openPage(browser, url);
  return {
    open,
    decide: async (url, decision) => {
      const page = await open(url);
      await answerConsentPage(page, decision);
      return page;
    },
    close: () => browser.close(),
  };
}

/** Presses the button of a consent page and waits for DMS Connect's own page. */
export async function answerConsentPage(page: Page, decision: Decision): Promise<void> {
  await page.getByRole("button", { name: decision, exact: true }).click();
  await page.waitForURL(/\/dms-connect\/result\//);
}

async function openPage(browser: Browser, url: string): Promise<Page> {
  // Provider and callback endpoint have certificates of their own making.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(url);
  return page;
}
