/** A user's first sign-in, played through the app's window and the provider's own page. */
import { connectionRow, startConnect, waitForState } from "../../e2e/support/app-window.ts";
import type { DealerUser } from "../../e2e/support/test-dealer.ts";
import { ensure } from "./narrator.ts";
import type { Stage } from "./stage.ts";

/** @throws when the user is not connected, or window or browser show something wrong */
export async function connectUser({ app, browser }: Stage, user: DealerUser): Promise<void> {
  await startConnect(app.page, user);
  const browserPage = await browser.decide(await app.nextOpenedUrl(), "Approve");
  await browserPage.getByRole("heading", { name: `${user.user} is now connected to ${user.providerName}.` }).waitFor();
  ensure(new URL(browserPage.url()).search === "", "the address of the browser's last page still carries the answer");
  await waitForState(app.page, user, "Connected");
  const times = await connectionRow(app.page, user).locator("time").count();
  ensure(times === 2, "the window does not show when access and sign-in end");
}
