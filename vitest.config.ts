import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{shared,electron,renderer,cli,clients,build,e2e}/**/*.test.ts"],
    testTimeout: 20_000,
    restoreMocks: true,
  },
});
