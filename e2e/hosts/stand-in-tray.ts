/** Electron's `Tray`, `Menu` and `nativeImage` on the Chromium host, which has no tray: it says so, and keeps the menu. */
import { EventEmitter } from "node:events";
import type { Menu, MenuItemConstructorOptions, NativeImage, nativeImage, Tray } from "electron";
import { NotImplementedError, standIn, standInClass } from "./not-implemented.ts";

export interface StandInTray {
  readonly Tray: typeof Tray;
  readonly Menu: typeof Menu;
  readonly nativeImage: typeof nativeImage;
}

/** Makes the three. */
export function createStandInTray(): StandInTray {
  return {
    // Members that are missing throw (not-implemented.ts).
    Tray: standInClass("Tray", createTray) as typeof Tray,
    Menu: standInClass("Menu", () => refuse("new Menu()"), {
      buildFromTemplate,
      // Chromium's pages have no menu bar: none is what they have already.
      setApplicationMenu: (menu: Menu | null) => (menu === null ? undefined : refuse("an application menu")),
    }) as typeof Menu,
    nativeImage: standIn<typeof nativeImage>("nativeImage", {
      createFromBitmap: (_bitmap, { width, height }) => standIn<NativeImage>("NativeImage", { isEmpty: () => width * height === 0 }),
    }),
  };
}

function createTray(): Tray {
  let destroyed = false;
  console.log("Chromium host: it has no tray, so the app's icon is not shown; start the app again to open its window");
  return standIn<Tray>(
    "Tray",
    {
      setToolTip: () => undefined,
      setContextMenu: () => undefined,
      destroy: () => {
        destroyed = true;
      },
      isDestroyed: () => destroyed,
    },
    new EventEmitter(),
  );
}

/** A menu that nothing can show: the tray above takes it, and any other use of it throws. */
function buildFromTemplate(_template: readonly MenuItemConstructorOptions[]): Menu {
  return standIn<Menu>("Menu", {}, new EventEmitter());
}

function refuse(what: string): never {
  throw new NotImplementedError(what);
}
