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

/** What colours and widths can break; the rest was seen in the wide window. */
const rulesOfLooks = ["color-contrast", "target-size", "scrollable-region-focusable"];

/** Declares a test for each scene. */
export function testScenes(name: string, scenes: readonly Scene[]): void {
  describe.skipIf(browser === undefined)(`the window: ${name}`, () => {
    const open = useWindow();

    it.each(scenes)("shows $name: accessible, within its policy, nothing cut off", async ({ scenario, arrange }) => {
      const { page, complaints } = await open({ scenario });
      await arrange(page);
      await expectSound(page, axe(page));
      await page.setViewportSize({ width: 420, height: 820 });
      await page.emulateMedia({ colorScheme: "dark" });
      await page.reload();
      await arrange(page);
      await expectSound(page, axe(page).withRules(rulesOfLooks));
      // React reports the error that the broken scenario provokes; everything else is silent.
      expect(complaints.filter((complaint) => scenario !== "broken" || /Content.Security/i.test(complaint))).toEqual([]);
    });
  });
}

/** Tabster's focus sentinels are hidden from assistive technology by design. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).exclude("[data-tabster-dummy]");
}

/** Fails on any accessibility violation, and on content that is cut off sideways. */
async function expectSound(page: Page, check: AxeBuilder): Promise<void> {
  const { violations } = await check.analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
  expect(await page.evaluate(widestOverflowPx)).toBe(0);
}

/** Runs in the page: how far the content of a scrolling box reaches beyond its right edge. */
function widestOverflowPx(): number {
  const boxes = [document.documentElement, ...document.querySelectorAll("main, [role=dialog], [role=alertdialog]")];
  return Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
}
