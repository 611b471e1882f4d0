/**
 * Bundles the app under soak once, before it is started the first time. Invariant: every start of a run is the same app, even
 * if its sources are changed while the run goes on.
 */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";
import { repositoryRoot } from "../bundles.ts";

/**
 * @param folder existing; gets the bundle and a link to the installed modules, which it needs at run time
 * @returns the file to run
 */
export async function bundleChild(folder: string): Promise<string> {
  await build({
    configFile: false,
    root: repositoryRoot,
    logLevel: "warn",
    ssr: { noExternal: true, external: ["@napi-rs/keyring", "electron"] },
    build: {
      ssr: join(import.meta.dirname, "soak-child.ts"),
      outDir: folder,
      emptyOutDir: false,
      target: "node24",
      minify: false,
      rolldownOptions: { output: { format: "es", entryFileNames: "child.mjs", codeSplitting: false } },
    },
  });
  await symlink(join(repositoryRoot, "node_modules"), join(folder, "node_modules"), "junction");
  return join(folder, "child.mjs");
}
