/**
 * Everything the demo runs on: both providers as processes, a workplace, the app. Invariant: whatever is started here is
 * handed to `closeLater` at once, so that a stage that was only half built is cleared away too.
 */
import { type AppUnderTest, launchApp } from "../../e2e/hosts/launch.ts";
import { type ProviderProcess, spawnProvider } from "../../e2e/providers/provider-process.ts";
import { freePort } from "../../e2e/support/free-port.ts";
import { type PersonAtBrowser, startPersonAtBrowser } from "../../e2e/support/person-at-browser.ts";
import { type SampleProgram, startSampleProgram } from "../../e2e/support/sample-program.ts";
import {
  type DealerUser,
  mazdaOptions,
  mazdaRedirectUri,
  type ProviderOrigins,
  registrations,
  webfleetOptions,
} from "../../e2e/support/test-dealer.ts";
import { makeWorkplace, type Workplace } from "../../e2e/support/workplace.ts";
import type { Narrator } from "./narrator.ts";

export interface Stage {
  readonly mazda: ProviderProcess;
  readonly webfleet: ProviderProcess;
  readonly origins: ProviderOrigins;
  readonly mazdaCertificatePem: string;
  readonly workplace: Workplace;
  readonly app: AppUnderTest;
  /** Where provider pages are shown: not the app's own browser. */
  readonly browser: PersonAtBrowser;
  readonly program: (user: DealerUser, options?: { readonly watch: boolean; readonly onLine: (line: string) => void }) => SampleProgram;
}

export interface StageOptions {
  readonly narrator: Narrator;
  readonly isHeaded: boolean;
  /** Takes what ends or deletes something; called in reverse order. */
  readonly closeLater: (close: () => unknown) => void;
  /** Writes what else the app needs into its workplace; the arguments that name it. */
  readonly furnish?: (workplace: Workplace) => Promise<readonly string[]>;
}

/** No single thing a person waits for takes longer. */
const stepTimeoutMs = 20_000;
/** What has not ended by then is killed. */
const closeTimeoutMs = 10_000;

/** Starts everything. The registration file is deleted as soon as the app has read it. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { narrator, isHeaded, closeLater } = options;
  const redirectUri = mazdaRedirectUri(await freePort());
  const [mazda, webfleet] = await narrator.step("start the stand-ins of Mazda and Webfleet", () =>
    Promise.all([
      closedLater(spawnProvider("mazda", mazdaOptions([redirectUri])), options),
      closedLater(spawnProvider("webfleet", webfleetOptions()), options),
    ]),
  );
  const mazdaCertificatePem = mazda.certificatePem ?? "";
  const origins = { mazda: mazda.origin, webfleet: webfleet.origin };
  const workplace = await makeWorkplace(mazdaCertificatePem);
  closeLater(workplace.dispose);
  await workplace.writeRegistrations(registrations(origins, [redirectUri]));
  const app = await narrator.step("start DMS Connect and import the registrations", () => startApp(workplace, options));
  const browser = await startPersonAtBrowser({ headed: isHeaded });
  closeLater(browser.close);
  return {
    mazda,
    webfleet,
    origins,
    mazdaCertificatePem,
    workplace,
    app,
    browser,
    program: (user, how) => {
      const program = startSampleProgram({ workplace, origins, user, ...how });
      closeLater(program.stop);
      return program;
    },
  };
}

function closedLater(starting: Promise<ProviderProcess>, { closeLater }: StageOptions): Promise<ProviderProcess> {
  closeLater(async () => (await starting).stop());
  return starting;
}

async function startApp(workplace: Workplace, { isHeaded, closeLater, furnish }: StageOptions): Promise<AppUnderTest> {
  const options = workplace.launchOptions("import");
  const args = [...(options.args ?? []), ...((await furnish?.(workplace)) ?? [])];
  const launching = launchApp({ ...options, args, env: { ...options.env, ...(isHeaded ? { DMS_CONNECT_HEADED: "1" } : {}) } });
  // An app that is still starting would write into its folder after that was deleted.
  closeLater(async () => endApp(await launching));
  const app = await launching;
  app.page.setDefaultTimeout(stepTimeoutMs);
  try {
    for (const name of ["Connect Mazda", "Connect Webfleet"]) await app.page.getByRole("button", { name, exact: true }).waitFor();
  } finally {
    await workplace.removeRegistrations();
  }
  return app;
}

async function endApp(app: AppUnderTest): Promise<void> {
  const timer = setTimeout(() => void app.kill(), closeTimeoutMs);
  // It may have ended already, by a person's hand.
  await app.close().catch(() => undefined);
  clearTimeout(timer);
}
