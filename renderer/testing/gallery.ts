/**
 * Takes a picture of every scene, in both themes and at two widths, and reports what axe finds.
 * Run: `node renderer/testing/gallery.ts [folder] [scene name part]`
 */
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser } from "playwright";
import { type BuiltWindow, buildWindow, launchBrowser, openWindow, type WindowOptions } from "./built-window.ts";
import type { Scene } from "./scene.ts";
import { scenes } from "./scenes.ts";

const [, , folder = "screenshots/window", part = ""] = process.argv;
const looks = [
  { widthPx: 1200, colorScheme: "light" },
  { widthPx: 1200, colorScheme: "dark" },
  { widthPx: 420, colorScheme: "light" },
  { widthPx: 420, colorScheme: "dark" },
] as const;

const browser = await launchBrowser();
if (browser === undefined) throw new Error("no Chromium, Chrome or Edge on this computer");
const built = await buildWindow();
for (const scene of scenes.filter(({ name }) => name.includes(part))) {
  for (const look of looks) await picture(browser, built, scene, { scenario: scene.scenario, ...look });
}
await browser.close();

async function picture(browser: Browser, built: BuiltWindow, scene: Scene, options: WindowOptions): Promise<void> {
  const name = `${scene.name}-${options.widthPx}-${options.colorScheme}`;
  const { page, complaints, close } = await openWindow(browser, built, options);
  try {
    await scene.arrange(page);
    await growToContent(page, options.widthPx);
    await page.screenshot({ path: `${folder}/${name}.png` });
    const { violations } = await new AxeBuilder({ page }).exclude("[data-tabster-dummy]").analyze();
    for (const { id, impact, nodes } of violations)
      say(`${name}: ${impact} ${id}: ${nodes.map(({ target }) => target.join(" ")).join("; ")}`);
  } catch (error) {
    say(`${name}: ${String(error)}`);
  }
  for (const complaint of complaints) say(`${name}: ${complaint}`);
  await close();
}

/** The page scrolls inside `main`; a picture shall hold all of it. */
async function growToContent(page: Awaited<ReturnType<typeof openWindow>>["page"], widthPx: number): Promise<void> {
  const missing = await page.evaluate(() => {
    const main = document.querySelector("main");
    return main === null ? 0 : main.scrollHeight - main.clientHeight;
  });
  await page.setViewportSize({ width: widthPx, height: Math.min(820 + missing, 3000) });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
