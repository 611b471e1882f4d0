/** Runs in the page before its scripts, where the preload would run: puts the stand-in on `window`. */
import { createMockApi, type MockControl } from "./mock-api.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

declare global {
  interface Window {
    /** Set by the test before this file runs. */
    readonly mockScenario: ScenarioName;
    readonly mock: MockControl;
  }
}

const { api, control } = createMockApi(scenarios(Date.now())[window.mockScenario]);
Object.assign(window, { dmsConnect: Object.freeze(api), mock: control });
