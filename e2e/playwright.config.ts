/** End-to-end specs. One worker: each spec starts the whole app, and fixed callback ports cannot be shared. */
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "specs",
  outputDir: "../test-results",
  workers: 1,
  fullyParallel: false,
  // A spec that passes only the second time hides a race.
  retries: 0,
  timeout: 90_000,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"], ["json", { outputFile: process.env["DMS_CONNECT_E2E_REPORT"] ?? "../test-results/report.json" }]],
});
