/** The sign that the broker runs while its window is closed, how many connections need somebody, and the way to open or end it. */
import type { Menu, MenuItemConstructorOptions, NativeImage, Tray } from "electron";
import type { Log } from "../core/ports.ts";
import { type ImageMaker, trayImage } from "./tray-icon.ts";

export interface TrayParts {
  readonly Tray: new (image: NativeImage) => Tray;
  readonly Menu: { readonly buildFromTemplate: (template: MenuItemConstructorOptions[]) => Menu };
  readonly nativeImage: ImageMaker;
  readonly onOpen: () => void;
  /** The menu's line about the connections that need somebody. */
  readonly onShowConnections: () => void;
  readonly onQuit: () => void;
}

export interface AppTray {
  /** How many connections need a person; 0 takes the mark away. */
  readonly showAttention: (count: number) => void;
}

/** The tray, or nothing on a desktop where there can be none: the app must start all the same. */
export function openTray(parts: TrayParts & { readonly log: Pick<Log, "error"> }): AppTray | undefined {
  try {
    return createTray(parts);
  } catch (error) {
    parts.log.error("tray", error);
    return undefined;
  }
}

/** Shows the tray icon. The caller keeps the result: Electron removes an icon whose object is collected. */
export function createTray(parts: TrayParts): AppTray {
  const [usual, marked] = [trayImage(parts.nativeImage, false), trayImage(parts.nativeImage, true)];
  const tray = new parts.Tray(usual);
  let shown: number | undefined;
  const showAttention = (count: number): void => {
    if (count === shown) return;
    if (shown !== undefined && count > 0 !== shown > 0) tray.setImage(count > 0 ? marked : usual);
    shown = count;
    tray.setToolTip(count === 0 ? "DMS Connect" : `DMS Connect: ${attentionText(count)}`);
    // Linux shows a changed menu only when it is set again.
    tray.setContextMenu(parts.Menu.buildFromTemplate(menuTemplate(parts, count)));
  };
  showAttention(0);
  tray.on("click", () => parts.onOpen());
  return { showAttention };
}

function menuTemplate(parts: TrayParts, count: number): MenuItemConstructorOptions[] {
  const needed: MenuItemConstructorOptions[] = [
    { label: attentionText(count), click: () => parts.onShowConnections() },
    { type: "separator" },
  ];
  return [
    ...(count === 0 ? [] : needed),
    { label: "Open DMS Connect", click: () => parts.onOpen() },
    { type: "separator" },
    { label: "Quit", click: () => parts.onQuit() },
  ];
}

function attentionText(count: number): string {
  return count === 1 ? "1 connection needs you" : `${count} connections need you`;
}
