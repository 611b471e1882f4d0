/** What Electron does with the desktop around the app, on a host that has none: reported to the parent process, shown in a browser of its own, or refused. */
import { EventEmitter } from "node:events";
import type { Dialog, NativeTheme, PowerMonitor, Shell } from "electron";
import { type Browser, chromium } from "playwright";
import { chromiumSandbox, findChromium, launchArguments } from "../../build/chromium.ts";
import { NotImplementedError, standIn } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";
import { preventableEvent } from "./stand-in-app.ts";

export interface StandInDesktop {
  readonly shell: Shell;
  readonly dialog: Dialog;
  readonly nativeTheme: NativeTheme;
  readonly powerMonitor: PowerMonitor;
  readonly close: () => Promise<void>;
}

export interface StandInDesktopOptions {
  readonly parent: ParentChannel | undefined;
  readonly headed: boolean;
  /** Called when the app chose another theme. */
  readonly onThemeChange: (colorScheme: "light" | "dark" | null) => void;
}

/** Makes `shell`, `dialog`, `nativeTheme` and `powerMonitor`. */
export function createStandInDesktop(options: StandInDesktopOptions): StandInDesktop {
  const powerEmitter = new EventEmitter();
  const userBrowser = createUserBrowser(options.headed);
  let dialogAnswer: { readonly path: string | undefined } | undefined;

  options.parent?.listen((message) => {
    if (message.kind === "dialog-answer") dialogAnswer = { path: message.path };
    else if (message.kind === "power-event") powerEmitter.emit(message.name, preventableEvent({}));
  });
  const takeAnswer = (): string | undefined => {
    if (dialogAnswer === undefined) throw new NotImplementedError("file dialogs, unless the parent process says what they answer");
    return dialogAnswer.path;
  };

  return {
    shell: standIn<Shell>("shell", {
      openExternal: async (url) => {
        if (options.parent !== undefined) options.parent.tell({ kind: "open-external", url });
        else await userBrowser.open(url);
      },
    }),
    dialog: standIn<Dialog>("dialog", {
      showOpenDialog: async () => {
        const path = takeAnswer();
        return { canceled: path === undefined, filePaths: path === undefined ? [] : [path] };
      },
      showSaveDialog: async () => {
        const path = takeAnswer();
        return { canceled: path === undefined, filePath: path ?? "" };
      },
      showErrorBox: (title, content) => console.error(`${title}: ${content}`),
    }),
    nativeTheme: createNativeTheme(options.onThemeChange),
    powerMonitor: standIn<PowerMonitor>(
      "powerMonitor",
      { getCurrentThermalState: () => "unknown", isOnBatteryPower: () => false },
      powerEmitter,
    ),
    close: userBrowser.close,
  };
}

function createNativeTheme(onChange: (colorScheme: "light" | "dark" | null) => void): NativeTheme {
  const emitter = new EventEmitter();
  let source: NativeTheme["themeSource"] = "system";
  return standIn<NativeTheme>(
    "nativeTheme",
    {
      get themeSource() {
        return source;
      },
      set themeSource(value) {
        source = value;
        onChange(value === "system" ? null : value);
        emitter.emit("updated");
      },
      get shouldUseDarkColors() {
        return source === "dark";
      },
    },
    emitter,
  );
}

interface UserBrowser {
  readonly open: (url: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** "The user's browser" where nobody else plays it: a second Chromium, which shares nothing with the app's. */
function createUserBrowser(headed: boolean): UserBrowser {
  let launched: Promise<Browser> | undefined;
  const launch = async (): Promise<Browser> => {
    const choice = findChromium();
    if (!headed || choice === undefined) throw new NotImplementedError("shell.openExternal without a display or a parent process");
    return chromium.launch({ ...choice, headless: false, chromiumSandbox, args: [...launchArguments] });
  };
  return {
    open: async (url) => {
      const browser = await (launched ??= launch());
      // The demo's providers and the callback endpoint have certificates of their own making.
      const context = browser.contexts()[0] ?? (await browser.newContext({ ignoreHTTPSErrors: true, viewport: null }));
      const page = await context.newPage();
      await page.goto(url, { waitUntil: "commit" });
    },
    close: async () => {
      const browser = await launched?.catch(() => undefined);
      await browser?.close();
    },
  };
}
