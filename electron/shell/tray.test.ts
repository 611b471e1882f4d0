import { EventEmitter } from "node:events";
import type { Menu, MenuItemConstructorOptions, NativeImage, Tray } from "electron";
import { describe, expect, it } from "vitest";
import { createTray } from "./tray.ts";
import { drawTrayIcon } from "./tray-icon.ts";

/** A tray that keeps what it is told, and images that are their own pixels. */
function scene() {
  const state = { tooltip: "", menu: [] as MenuItemConstructorOptions[], images: [] as Buffer[], densities: [] as number[] };
  const clicks: string[] = [];
  class FakeTray extends EventEmitter {
    constructor(image: NativeImage) {
      super();
      this.setImage(image);
      state.densities = image.getScaleFactors();
    }
    setImage = (image: NativeImage): void => void state.images.push(image.toBitmap());
    setToolTip = (text: string): void => void (state.tooltip = text);
    setContextMenu = (menu: Menu): void => void (state.menu = menu as unknown as MenuItemConstructorOptions[]); // made below
  }
  const densities = new Map<Buffer, number[]>();
  const tray = createTray({
    Tray: FakeTray as unknown as new (image: NativeImage) => Tray, // has what is used
    Menu: { buildFromTemplate: (template) => template as unknown as Menu },
    nativeImage: {
      createFromBitmap: (buffer, { width, height, scaleFactor = 1 }) => {
        expect(buffer.length).toBe(width * height * 4);
        densities.set(buffer, [scaleFactor]);
        const image: Partial<NativeImage> = {
          toBitmap: () => buffer,
          getScaleFactors: () => densities.get(buffer) ?? [],
          addRepresentation: ({ scaleFactor = 1, buffer: pixels, width = 0, height = 0 }) => {
            expect(pixels?.length).toBe(width * height * 4);
            densities.get(buffer)?.push(scaleFactor);
          },
        };
        return image as NativeImage; // has what is used
      },
    },
    onOpen: () => clicks.push("open"),
    onShowConnections: () => clicks.push("connections"),
    onQuit: () => clicks.push("quit"),
  });
  const labels = (): readonly string[] => state.menu.flatMap(({ label }) => (label === undefined ? [] : [label]));
  const click = (label: string): void => {
    const item = state.menu.find((each) => each.label === label);
    (item?.click as (() => void) | undefined)?.(); // called without what Electron passes
  };
  return { state, tray, clicks, labels, click };
}

describe("the tray icon", () => {
  it("opens and ends the app while nobody is needed", () => {
    const { state, labels, click, clicks } = scene();
    expect([state.tooltip, labels(), state.densities]).toEqual(["DMS Connect", ["Open DMS Connect", "Quit"], [1, 2]]);
    click("Open DMS Connect");
    click("Quit");
    expect(clicks).toEqual(["open", "quit"]);
  });

  it("is marked and says how many connections need somebody, until none does", () => {
    const { state, tray, labels, click, clicks } = scene();
    tray.showAttention(2);
    expect(state.tooltip).toBe("DMS Connect: 2 connections need you");
    expect(labels()[0]).toBe("2 connections need you");
    click("2 connections need you");
    expect(clicks).toEqual(["connections"]);
    tray.showAttention(1);
    expect([state.tooltip, labels()[0]]).toEqual(["DMS Connect: 1 connection needs you", "1 connection needs you"]);
    tray.showAttention(0);
    expect([state.tooltip, labels()]).toEqual(["DMS Connect", ["Open DMS Connect", "Quit"]]);
    const [usual, marked, usualAgain, ...others] = state.images;
    expect(others).toEqual([]);
    expect(usualAgain).toBe(usual);
    expect(marked?.equals(usual ?? Buffer.alloc(0))).toBe(false);
  });
});

describe("the icon's pixels", () => {
  it.each([16, 32])("keep the mark apart from the rest, with its colour multiplied by its alpha: %i", (size) => {
    const [usual, marked] = [drawTrayIcon(size, false), drawTrayIcon(size, true)];
    const alphaAt = (bitmap: Buffer, x: number, y: number) => bitmap[(Math.floor(y * size) * size + Math.floor(x * size)) * 4 + 3];
    expect([alphaAt(usual, 0.5, 0.5), alphaAt(usual, 0, 0), alphaAt(marked, 0.74, 0.26)]).toEqual([255, 0, 255]);
    for (const bitmap of [usual, marked]) {
      for (let at = 0; at < bitmap.length; at += 4) {
        const [first = 0, second = 0, third = 0, alpha = 0] = bitmap.subarray(at, at + 4);
        expect(Math.max(first, second, third)).toBeLessThanOrEqual(alpha);
      }
    }
  });
});
