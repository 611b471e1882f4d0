/**
 * The surroundings of a spec: both providers in this process, a person at a browser, a workplace, and the app on it.
 * Invariant: whatever a spec started is gone when it ends, however it ended.
 */
import { test as base } from "@playwright/test";
import { type AppUnderTest, type LaunchOptions, launchApp, launchWithoutWindow, type WindowlessApp } from "../hosts/launch.ts";
import { type MazdaServer, startMazdaServer } from "../providers/mazda-server.ts";
import { startWebfleetServer, type WebfleetServer } from "../providers/webfleet-server.ts";
import { startConnect, waitForState } from "./app-window.ts";
import { freePort } from "./free-port.ts";
import { type PersonAtBrowser, startPersonAtBrowser } from "./person-at-browser.ts";
import { type SampleProgram, startSampleProgram } from "./sample-program.ts";
import { type DealerUser, mazdaOptions, mazdaRedirectUri, type ProviderOrigins, registrations, webfleetOptions } from "./test-dealer.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

export { expect } from "@playwright/test";

export interface Dealer {
  readonly mazda: MazdaServer;
  readonly webfleet: WebfleetServer;
  readonly origins: ProviderOrigins;
  readonly mazdaCertificatePem: string;
  /** The ports of Mazda's redirect URIs, in the order of the registration. */
  readonly callbackPorts: readonly [number, number];
  readonly workplace: Workplace;
  /** Another computer of the dealer's. */
  readonly newWorkplace: () => Promise<Workplace>;
  /** Starts the app; with `import`, both providers are registered when it settles. */
  readonly launch: (registrations: "import" | "none", options?: DealerLaunchOptions) => Promise<AppUnderTest>;
  /** Starts the app, which has been set up already, without its window. It may still be starting when this settles. */
  readonly launchHidden: () => Promise<WindowlessApp>;
  /** Starts the app once more while it runs, and waits until that second start has ended. */
  readonly startAgain: (...args: readonly string[]) => Promise<void>;
  readonly program: (user: DealerUser, workplace?: Workplace) => SampleProgram;
  /** Connects a user in the window and at the provider, up to the word Connected. */
  readonly connect: (app: AppUnderTest, user: DealerUser) => Promise<void>;
}

export interface DealerLaunchOptions extends Pick<LaunchOptions, "keyStores"> {
  /** Instead of those that the workplace has. */
  readonly args?: readonly string[];
  /** Added to those that the workplace has. */
  readonly env?: Readonly<Record<string, string>>;
  /** The dealer's first one by default. */
  readonly workplace?: Workplace;
  /** Put into the file that `DMS_CONNECT_POLICY` names. */
  readonly policy?: object;
}

interface TestFixtures {
  readonly dealer: Dealer;
  /** An app with both providers registered. */
  readonly app: AppUnderTest;
}
interface WorkerFixtures {
  readonly person: PersonAtBrowser;
}

/** How long the window may take for one step; the app itself answers in milliseconds. */
const stepTimeoutMs = 15_000;

export const test = base.extend<TestFixtures, WorkerFixtures>({
  person: [
    async ({ headless }, use) => {
      const person = await startPersonAtBrowser({ headed: !headless });
      await use(person);
      await person.close();
    },
    { scope: "worker" },
  ],
  dealer: async ({ person }, use) => {
    const ports = [await freePort(), await freePort()] as const;
    const redirectUris = ports.map(mazdaRedirectUri);
    const [mazda, webfleet] = await Promise.all([startMazdaServer(mazdaOptions(redirectUris)), startWebfleetServer(webfleetOptions())]);
    const mazdaCertificatePem = mazda.certificatePem ?? "";
    const origins = { mazda: mazda.origin, webfleet: webfleet.origin };
    const workplaces: Workplace[] = [];
    const newWorkplace = async (): Promise<Workplace> => {
      const made = await makeWorkplace(mazdaCertificatePem);
      workplaces.push(made);
      await made.writeRegistrations(registrations(origins, redirectUris));
      return made;
    };
    const workplace = await newWorkplace();
    const apps: WindowlessApp[] = [];
    const programs: SampleProgram[] = [];
    await use({
      mazda,
      webfleet,
      origins,
      mazdaCertificatePem,
      callbackPorts: ports,
      workplace,
      newWorkplace,
      launch: async (wanted, { workplace: at = workplace, policy, env: added, ...how } = {}) => {
        const options = at.launchOptions(wanted);
        const env = { ...options.env, ...added, ...(policy === undefined ? {} : { DMS_CONNECT_POLICY: await at.writePolicy(policy) }) };
        const app = await launchApp({ ...options, ...how, env });
        apps.push(app);
        app.page.setDefaultTimeout(stepTimeoutMs);
        if (wanted === "import") await app.page.getByRole("button", { name: "Connect Webfleet", exact: true }).waitFor();
        return app;
      },
      launchHidden: async () => {
        const options = workplace.launchOptions("none");
        const app = await launchWithoutWindow({ ...options, args: [...(options.args ?? []), "--hidden"] });
        apps.push(app);
        return app;
      },
      startAgain: async (...args) => {
        const second = await launchWithoutWindow({ ...workplace.launchOptions("none"), args });
        await second.exited;
      },
      program: (user, at = workplace) => {
        const program = startSampleProgram({ workplace: at, origins, user });
        programs.push(program);
        return program;
      },
      connect: async (app, user) => {
        await startConnect(app.page, user);
        await person.decide(await app.nextOpenedUrl(), "Approve");
        await waitForState(app.page, user, "Connected");
      },
    });
    for (const program of programs) program.stop();
    for (const app of apps) await endApp(app);
    await Promise.all([mazda.close(), webfleet.close()]);
    await Promise.all(workplaces.map(({ dispose }) => dispose()));
  },
  app: async ({ dealer }, use) => {
    await use(await dealer.launch("import"));
  },
});

/** Quits; an app that does not is killed, and the spec fails. */
async function endApp(app: WindowlessApp): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), stepTimeoutMs);
  try {
    if ((await Promise.race([app.close(), late.promise])) !== "late") return;
    await app.kill();
    throw new Error(`the app did not quit within ${stepTimeoutMs} ms`);
  } finally {
    clearTimeout(timer);
  }
}
