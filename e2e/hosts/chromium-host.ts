/**
 * `node e2e/hosts/chromium-host.ts MAIN_BUNDLE [arguments]`: runs the app's main bundle in Node, with a
 * stand-in for `electron` and windows that are pages of a real Chromium. For development and tests.
 *
 * `--headed` and `--headless` are the host's own; without either it shows windows where there is a display. With
 * `--password-store=basic`, as on Electron, `safeStorage` has but a fixed key.
 */
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createElectronHost, electronExports } from "./electron-stand-in.ts";
import { connectToParent } from "./parent-channel.ts";

const [entryArgument, ...rest] = process.argv.slice(2);
if (entryArgument === undefined) throw new Error("usage: chromium-host.ts MAIN_BUNDLE [--headed|--headless] [arguments]");
const entry = resolve(entryArgument);
const withoutPasswordStore = "--password-store=basic";
const args = rest.filter((argument) => !["--headed", "--headless", withoutPasswordStore].includes(argument));
// What the app sees, as on Electron: executable, app, arguments.
process.argv = [process.execPath, entry, ...args];

const headed = wantsWindows(rest);
const parent = connectToParent();
if (!headed && parent === undefined) console.log("Chromium host: there is no display, so the window is not shown");
const host = createElectronHost({
  entry,
  commandLine: process.argv,
  headed,
  parent,
  hasPasswordStore: !rest.includes(withoutPasswordStore),
});

const electronUrl = "chromium-host:electron";
Reflect.set(globalThis, Symbol.for(electronUrl), host.electron);
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "electron" || specifier === "electron/main" ? { url: electronUrl, shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === electronUrl ? { format: "module", source: electronModule(), shortCircuit: true } : next(url, context),
});

await import(pathToFileURL(entry).href);
host.becomeReady();

/** Both kinds of import work, as with Electron's own module: `import { app }` and `import electron`. */
function electronModule(): string {
  const names = electronExports.map((name) => `export const ${name} = electron.${name};`);
  return [`const electron = globalThis[Symbol.for(${JSON.stringify(electronUrl)})];`, "export default electron;", ...names].join("\n");
}

function wantsWindows(options: readonly string[]): boolean {
  if (options.includes("--headless")) return false;
  if (options.includes("--headed") || process.platform === "win32" || process.platform === "darwin") return true;
  return process.env["DISPLAY"] !== undefined || process.env["WAYLAND_DISPLAY"] !== undefined;
}
