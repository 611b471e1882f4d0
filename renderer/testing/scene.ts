/** What a scene is, and the step that most of them begin with. */
import type { Page } from "playwright";
import type { ScenarioName } from "./scenarios.ts";

export interface Scene {
  readonly name: string;
  readonly scenario: ScenarioName;
  /** What a person does to get there; the scene is complete when it settles. */
  readonly arrange: (page: Page) => Promise<void>;
}

/** Goes to a page by the navigation. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name }).click();
}
