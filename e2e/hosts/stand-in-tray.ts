/**
 * Electron's `Tray`, `Menu` and `nativeImage` on the Chromium host, which has no tray: a parent process is told what it would
 * show, and may choose from its menu. Without one the app is told that it cannot have a tray.
 */
import { EventEmitter } from "node:events";
import type { Menu, MenuItemConstructorOptions, NativeImage, nativeImage, Tray } from "electron";
import { NotImplementedError, standIn, standInClass } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";

export interface StandInTray {
  readonly Tray: typeof Tray;
  readonly Menu: typeof Menu;
  readonly nativeImage: typeof nativeImage;
}

type Template = readonly MenuItemConstructorOptions[];

/** Makes the three. */
export function createStandInTray(parent: ParentChannel | undefined): StandInTray {
  const templates = new WeakMap<Menu, Template>();
  const buildFromTemplate = (template: Template): Menu => {
    const menu = standIn<Menu>("Menu", {}, new EventEmitter());
    templates.set(menu, template);
    return menu;
  };
  return {
    // Members that are missing throw (not-implemented.ts).
    Tray: standInClass("Tray", () => createTray(parent, templates)) as typeof Tray,
    Menu: standInClass("Menu", () => refuse("new Menu()"), {
      buildFromTemplate,
      // Chromium's pages have no menu bar: none is what they have already.
      setApplicationMenu: (menu: Menu | null) => (menu === null ? undefined : refuse("an application menu")),
    }) as typeof Menu,
    nativeImage: standIn<typeof nativeImage>("nativeImage", {
      createFromBitmap: (_bitmap, { width, height }) =>
        standIn<NativeImage>("NativeImage", { isEmpty: () => width * height === 0, addRepresentation: () => undefined }),
    }),
  };
}

function createTray(parent: ParentChannel | undefined, templates: WeakMap<Menu, Template>): Tray {
  if (parent === undefined) throw new NotImplementedError("a tray; start the app again to open its window");
  let destroyed = false;
  let tooltip = "";
  let template: Template = [];
  const tell = (): void =>
    parent.tell({ kind: "tray", tooltip, menu: template.flatMap(({ label }) => (label === undefined ? [] : [label])) });
  parent.listen((message) => {
    if (message.kind !== "tray-menu") return;
    const item = template.find(({ label }) => label === message.label);
    // The app's own items take nothing of what Electron passes.
    (item?.click as (() => void) | undefined)?.();
  });
  return standIn<Tray>(
    "Tray",
    {
      setImage: () => undefined,
      setToolTip: (text) => {
        tooltip = text;
        tell();
      },
      setContextMenu: (menu) => {
        template = (menu === null ? undefined : templates.get(menu)) ?? [];
        tell();
      },
      destroy: () => {
        destroyed = true;
      },
      isDestroyed: () => destroyed,
    },
    new EventEmitter(),
  );
}

function refuse(what: string): never {
  throw new NotImplementedError(what);
}
