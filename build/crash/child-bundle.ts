/**
 * Bundles the crash child once for all runs, so that a start is fast. Invariant: the bundle is the product's own code but
 * for the two modules that get steps; a composition that no longer imports them fails the build instead of losing steps.
 */
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build, type Plugin } from "vite";
import { repositoryRoot } from "../bundles.ts";

/** Where `compose.ts` and what belongs to it are; modules below keep what they import. */
const compositionFolder = join(repositoryRoot, "electron");
/** Modules of the product that get steps → what the composition gets instead. */
const replaced: ReadonlyMap<string, string> = new Map([
  [join(compositionFolder, "vault/vault.ts"), join(import.meta.dirname, "stepped-vault.ts")],
  [join(compositionFolder, "pipe/pipe-server.ts"), join(import.meta.dirname, "stepped-pipe-server.ts")],
]);

/**
 * @param folder existing; gets the bundle and a link to the installed modules, which it needs at run time
 * @returns the file to run
 */
export async function bundleChild(folder: string): Promise<string> {
  await build({
    configFile: false,
    root: repositoryRoot,
    logLevel: "warn",
    plugins: [stepsInPlace(), withoutElectron()],
    ssr: { noExternal: true, external: ["@napi-rs/keyring"] },
    build: {
      ssr: join(import.meta.dirname, "child.ts"),
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

function stepsInPlace(): Plugin {
  const missing = new Set(replaced.keys());
  return {
    name: "steps-in-place",
    enforce: "pre",
    resolveId: (source, importer) => {
      if (importer === undefined || dirname(importer) !== compositionFolder) return undefined;
      const imported = join(compositionFolder, source);
      missing.delete(imported);
      return replaced.get(imported);
    },
    buildEnd: (error) => {
      if (error === undefined && missing.size > 0) throw new Error(`the composition does not import ${[...missing].join(", ")}`);
    },
  };
}

/** electron-store asks the electron package where its binary is, which would start a download. */
function withoutElectron(): Plugin {
  const id = "\0no-electron";
  return {
    name: "without-electron",
    enforce: "pre",
    resolveId: (source) => (source === "electron" ? id : undefined),
    load: (loaded) => (loaded === id ? "export default {};" : undefined),
  };
}
