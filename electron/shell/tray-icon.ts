/**
 * The picture in the tray, drawn here so that no file has to be found at run time: a ring with a filled centre, and a mark at
 * its corner while somebody is needed. Invariant: the mark differs by its shape, not by its colour alone.
 */
import type { NativeImage } from "electron";

export interface ImageMaker {
  readonly createFromBitmap: (buffer: Buffer, options: { width: number; height: number; scaleFactor?: number }) => NativeImage;
}

/** Pixels of one side at a scale of 1, which is what task bars and menu bars expect. */
const side = 16;
/** Red, green and blue. Mid blue is told apart from light and from dark task bars; so is the orange. */
const blue = [0x1e, 0x7b, 0xdb] as const;
const orange = [0xe8, 0x50, 0x0a] as const;
type Ink = typeof blue | typeof orange;

/** The icon for screens of usual and of double density. */
export function trayImage(maker: ImageMaker, needsAttention: boolean): NativeImage {
  const bitmap = (scaleFactor: number) => drawTrayIcon(side * scaleFactor, needsAttention);
  const image = maker.createFromBitmap(bitmap(1), { width: side, height: side, scaleFactor: 1 });
  image.addRepresentation({ scaleFactor: 2, width: side * 2, height: side * 2, buffer: bitmap(2) });
  return image;
}

/**
 * The pixels of the icon, row by row: blue, green, red, alpha, the colours multiplied by alpha, as Electron's bitmaps are.
 *
 * @param size pixels of one side
 */
export function drawTrayIcon(size: number, needsAttention: boolean): Buffer {
  const bitmap = Buffer.alloc(size * size * 4);
  for (let index = 0; index < size * size; index += 1) {
    const [ink, alpha] = pixel(size, index % size, Math.floor(index / size), needsAttention);
    const [red, green, blueness] = ink.map((part) => Math.round(part * alpha));
    bitmap.set([blueness ?? 0, green ?? 0, red ?? 0, Math.round(alpha * 255)], index * 4);
  }
  return bitmap;
}

/** Each pixel is looked at in 4 × 4 places, for smooth edges. */
const places = [0.125, 0.375, 0.625, 0.875];

function pixel(size: number, column: number, row: number, needsAttention: boolean): readonly [Ink, number] {
  let [blues, oranges] = [0, 0];
  for (const x of places) {
    for (const y of places) {
      const ink = inkAt((column + x) / size, (row + y) / size, needsAttention);
      if (ink === blue) blues += 1;
      if (ink === orange) oranges += 1;
    }
  }
  // The two never meet: a gap lies between them.
  return [oranges > 0 ? orange : blue, (blues + oranges) / places.length ** 2];
}

/** What is drawn at a place, with both sides of the icon 1 long. */
function inkAt(x: number, y: number, needsAttention: boolean): Ink | undefined {
  if (needsAttention) {
    const fromMark = Math.hypot(x - 0.74, y - 0.26);
    if (fromMark < 0.25) return orange;
    if (fromMark < 0.33) return undefined;
  }
  const fromCentre = Math.hypot(x - 0.5, y - 0.5);
  return fromCentre < 0.19 || (fromCentre > 0.32 && fromCentre < 0.47) ? blue : undefined;
}
