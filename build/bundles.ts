/**
 * What is bundled, from where, to where. Invariant: main, preload and command line need nothing from
 * `node_modules` at run time but `@napi-rs/keyring` and `koffi`; the preload is one CommonJS file, because a
 * sandboxed preload can load no second one. The command line alone is split: what only the vault's
 * commands need, SQLite before all, must not be loaded by the others, which run on an older Node.js, too.
 */
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { basename, dirname, join } from "node:path";
import { build, type InlineConfig } from "vite";

export const repositoryRoot: string = dirname(import.meta.dirname);

export interface BuiltBundle {
  readonly name: string;
  /** Absolute path of the file that is loaded first. */
  readonly file: string;
  readonly bytes: number;
  readonly elapsedMs: number;
}

/** One bundle of the product: its name, its entry and the function that makes it. */
export interface BundlePlan {
  readonly name: "main" | "preload" | "renderer" | "cli";
  readonly entry: string;
  /** Relative to `dist/`. */
  readonly output: string;
  readonly make: () => Promise<BuiltBundle>;
}

/** The four bundles, in `dist/` of the repository. */
export const bundlePlans: readonly BundlePlan[] = [
  {
    name: "main",
    entry: "electron/main.ts",
    output: "main/main.mjs",
    make: () => bundleForNode("main", inRepository("electron/main.ts"), inRepository("dist/main/main.mjs")),
  },
  {
    name: "preload",
    entry: "electron/preload.ts",
    output: "preload/preload.cjs",
    make: () => bundlePreload(inRepository("electron/preload.ts"), inRepository("dist/preload/preload.cjs")),
  },
  {
    name: "renderer",
    entry: "renderer/vite.config.ts",
    output: "renderer/index.html",
    make: () => bundleRenderer(inRepository("renderer/vite.config.ts"), inRepository("dist/renderer")),
  },
  {
    name: "cli",
    entry: "cli/dms-connect.ts",
    output: "cli/dms-connect.mjs",
    make: () => bundleCommandLine(inRepository("cli/dms-connect.ts"), inRepository("dist/cli/dms-connect.mjs")),
  },
];

/** Bundles `entry` as an ES module for Node 24 (Electron's main process, or the command line). */
export async function bundleForNode(name: string, entry: string, file: string): Promise<BuiltBundle> {
  return timed(name, file, () => build(nodeConfig(entry, file, { format: "es" })));
}

/** The same for the command line: what is imported late becomes files of their own beside it. */
export async function bundleCommandLine(entry: string, file: string): Promise<BuiltBundle> {
  const bundle = await timed("cli", file, () => build(nodeConfig(entry, file, { format: "es", split: true })));
  const code = await readFile(file, "utf8");
  if (!code.startsWith("#!")) await writeFile(file, shebang + code);
  await chmod(file, 0o755);
  return bundle;
}

/** Bundles `entry` as the single CommonJS file a sandboxed preload has to be. */
export async function bundlePreload(entry: string, file: string): Promise<BuiltBundle> {
  return timed("preload", file, () => build(nodeConfig(entry, file, { format: "cjs" })));
}

/** Bundles the window with its own vite configuration into `folder`. */
export async function bundleRenderer(configFile: string, folder: string): Promise<BuiltBundle> {
  return timed("renderer", join(folder, "index.html"), () =>
    build({ configFile, root: dirname(configFile), logLevel: "warn", build: { outDir: folder, emptyOutDir: true } }),
  );
}

const shebang = "#!/usr/bin/env node\n";

interface OutputForm {
  readonly format: "es" | "cjs";
  readonly split?: boolean;
}

function nodeConfig(entry: string, file: string, { format, split = false }: OutputForm): InlineConfig {
  return {
    configFile: false,
    root: repositoryRoot,
    logLevel: "warn",
    define: { "process.env.NODE_ENV": '"production"' },
    ssr: { noExternal: true, external: ["electron", "@napi-rs/keyring", "koffi", ...builtinModules] },
    build: {
      ssr: entry,
      outDir: dirname(file),
      emptyOutDir: true,
      target: "node24",
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        output: { format, entryFileNames: basename(file), chunkFileNames: "[name].mjs", codeSplitting: split },
      },
    },
  };
}

async function timed(name: string, file: string, run: () => Promise<unknown>): Promise<BuiltBundle> {
  const startedMs = performance.now();
  await run();
  const { size } = await stat(file);
  return { name, file, bytes: size, elapsedMs: performance.now() - startedMs };
}

function inRepository(path: string): string {
  return join(repositoryRoot, path);
}
