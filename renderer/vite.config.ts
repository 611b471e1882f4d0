/**
 * Bundles the window for a page whose CSP allows files of its own origin and nothing inline: no inline
 * script, style or data URL may come out of this build.
 */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../dist/renderer",
    emptyOutDir: true,
    // Electron 45 carries Chromium of the same age: no older syntax is needed.
    target: "esnext",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One window, one bundle: the size warning is about pages that travel over a network.
    chunkSizeWarningLimit: 4096,
  },
});
