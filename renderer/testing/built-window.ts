/**
 * The window as it ships, for tests: built by its own vite config into memory, served under the real
 * Content-Security-Policy on an https host that exists only inside the browser.
 */
import { type Browser, chromium, type Page, type Route } from "playwright";
import { build } from "vite";
import type { ScenarioName } from "./scenarios.ts";

const origin = "https://dms-connect.test";
const nonce = "dGVzdC1ub25jZQ";
/** As the main process sends it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' 'nonce-${nonce}'`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentTypes: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

export interface BuiltWindow {
  /** File name in the build to content. */
  readonly files: ReadonlyMap<string, string>;
  /** The stand-in for the preload. */
  readonly mockScript: string;
}

export interface OpenWindow {
  readonly page: Page;
  /** Everything the browser complained about: console errors, CSP violations, uncaught exceptions. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

export interface WindowOptions {
  readonly scenario: ScenarioName;
  readonly widthPx: number;
  readonly colorScheme: "light" | "dark";
}

/** Builds window and stand-in; nothing is written to disk. */
export async function buildWindow(): Promise<BuiltWindow> {
  const folder = new URL("..", import.meta.url);
  const window = await build({ configFile: pathOf(new URL("vite.config.ts", folder)), logLevel: "error", build: { write: false } });
  const mock = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "esnext",
      lib: { entry: pathOf(new URL("testing/install-mock.ts", folder)), formats: ["iife"], name: "installMock" },
    },
  });
  const mockScript = [...filesOf(mock).values()][0];
  if (mockScript === undefined) throw new Error("the stand-in was not built");
  return { files: filesOf(window), mockScript };
}

/**
 * Starts the browser of this machine: Debian's Chromium, Playwright's own, or an installed Chrome or Edge.
 * @returns `undefined` where there is none
 */
export async function launchBrowser(): Promise<Browser | undefined> {
  const args = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  for (const choice of [{ executablePath: "/usr/bin/chromium" }, {}, { channel: "chrome" }, { channel: "msedge" }]) {
    try {
      return await chromium.launch({ ...choice, args, chromiumSandbox: false });
    } catch {
      // Not installed: the next one.
    }
  }
  return undefined;
}

/** Opens the built window in a fresh context. */
export async function openWindow(browser: Browser, built: BuiltWindow, options: WindowOptions): Promise<OpenWindow> {
  const context = await browser.newContext({
    viewport: { width: options.widthPx, height: 820 },
    colorScheme: options.colorScheme,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/Amsterdam",
  });
  await context.route("**/*", (route) => answer(route, built));
  await context.addInitScript(`window.mockScenario = ${JSON.stringify(options.scenario)};\n${built.mockScript}`);
  const page = await context.newPage();
  page.setDefaultTimeout(5000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${origin}/index.html`);
  return { page, complaints, close: () => context.close() };
}

async function answer(route: Route, built: BuiltWindow): Promise<void> {
  const url = new URL(route.request().url());
  const name = url.pathname.slice(1);
  const content = url.origin === origin ? built.files.get(name) : undefined;
  if (content === undefined) return route.fulfill({ status: 404, body: "" });
  return route.fulfill({
    status: 200,
    contentType: contentTypes[name.split(".").at(-1) ?? ""] ?? "application/octet-stream",
    headers: { "content-security-policy": contentSecurityPolicy },
    body: content.replaceAll("__CSP_NONCE__", nonce),
  });
}

function filesOf(output: Awaited<ReturnType<typeof build>>): ReadonlyMap<string, string> {
  const outputs = Array.isArray(output) ? output : [output];
  const files = outputs.flatMap((each) => ("output" in each ? each.output : []));
  return new Map(files.map((file) => [file.fileName, file.type === "chunk" ? file.code : textOf(file.source)]));
}

function textOf(source: string | Uint8Array): string {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

/** A path vite takes on every system: `/C:/x` is none on Windows. */
function pathOf(url: URL): string {
  return decodeURIComponent(url.pathname).replace(/^\/(?=[A-Za-z]:)/, "");
}
