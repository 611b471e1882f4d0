/**
 * What every scene must be: accessible, within the Content-Security-Policy, nothing cut off, and silent; wide and light, and narrow
 * and dark. Several test files share it, so that several processes share the work.
 */
import { AxeBuilder } from "@axe-core/playwright";
import { describe, expect, it } from "vitest";
import type { OpenWindow } from "./built-window.ts";
import type { Scene } from "./scene.ts";
import { browser, useWindow } from "./window-fixture.ts";

type Page = OpenWindow["page"];

/** Declares a test for each scene. */
export function testScenes(name: string, scenes: readonly Scene[]): void {
  describe.skipIf(browser === undefined)(`the window: ${name}`, () => {
    const open = useWindow();

    // One analysis a scene, which takes a second of both cores: every other scene is analysed narrow and dark.
    const numbered = scenes.map((scene, index) => ({ ...scene, isAnalysedWide: index % 2 === 0 }));

    it.each(numbered)("shows $name: accessible, within its policy, nothing cut off", async ({ scenario, arrange, isAnalysedWide }) => {
      const { page, complaints } = await open({ scenario });
      await arrange(page);
      await expectSound(page, isAnalysedWide);
      await page.setViewportSize({ width: 420, height: 820 });
      await page.emulateMedia({ colorScheme: "dark" });
      await page.reload();
      await arrange(page);
      await expectSound(page, !isAnalysedWide);
      // React reports the error that the broken scenario provokes; everything else is silent.
      expect(complaints.filter((complaint) => scenario !== "broken" || /Content.Security/i.test(complaint))).toEqual([]);
    });
  });
}

/** Fails on content that is cut off sideways and, if asked for, on any accessibility violation. */
async function expectSound(page: Page, isAnalysed: boolean): Promise<void> {
  expect(await page.evaluate(widestOverflowPx)).toBe(0);
  expect(isAnalysed ? await violationsIn(page) : []).toEqual([]);
}

/** Tabster's focus sentinels are hidden from assistive technology by design. */
async function violationsIn(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).exclude("[data-tabster-dummy]").analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Runs in the page: how far the content of a scrolling box reaches beyond its right edge. */
function widestOverflowPx(): number {
  const boxes = [document.documentElement, ...document.querySelectorAll("main, [role=dialog], [role=alertdialog]")];
  return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
}
