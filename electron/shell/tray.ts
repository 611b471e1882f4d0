/** The sign that the broker runs while its window is closed, and the way to open or end it. */
import type { Menu, MenuItemConstructorOptions, NativeImage, Tray } from "electron";

export interface TrayParts {
  readonly Tray: new (image: NativeImage) => Tray;
  readonly Menu: { readonly buildFromTemplate: (template: MenuItemConstructorOptions[]) => Menu };
  readonly nativeImage: {
    readonly createFromBitmap: (buffer: Buffer, options: { width: number; height: number; scaleFactor?: number }) => NativeImage;
  };
  readonly onOpen: () => void;
  readonly onQuit: () => void;
}

/** Shows the tray icon. The caller keeps the result: Electron removes an icon whose object is collected. */
export function createTray(parts: TrayParts): Tray {
  const image = parts.nativeImage.createFromBitmap(drawIcon(), { width: iconSize, height: iconSize, scaleFactor: 2 });
  const tray = new parts.Tray(image);
  tray.setToolTip("DMS Connect");
  tray.setContextMenu(
    parts.Menu.buildFromTemplate([
      { label: "Open DMS Connect", click: () => parts.onOpen() },
      { type: "separator" },
      { label: "Quit", click: () => parts.onQuit() },
    ]),
  );
  tray.on("click", () => parts.onOpen());
  return tray;
}

const iconSize = 32;
/** Mid blue, told apart from light and dark task bars; bytes are blue, green, red, alpha. */
const ink = [0xc2, 0x6b, 0x0f, 0xff] as const;

/** A ring with a filled centre, drawn here so that no file has to be found at run time. */
function drawIcon(): Buffer {
  const bitmap = Buffer.alloc(iconSize * iconSize * 4);
  const centre = (iconSize - 1) / 2;
  for (let index = 0; index < iconSize * iconSize; index += 1) {
    const distance = Math.hypot((index % iconSize) - centre, Math.floor(index / iconSize) - centre);
    if (distance < 6 || (distance > 10 && distance < 15)) bitmap.set(ink, index * 4);
  }
  return bitmap;
}
