/**
 * Values between the main process and the preload's world, which are joined by strings. Electron clones
 * structures; here go JSON's values and `undefined`, and anything else throws instead of arriving changed.
 * Both functions also run inside Chromium, from their source text: they may use nothing around them.
 */

/** Turns a value into what JSON can carry. */
export function toWire(value: unknown): unknown {
  if (value === undefined) return { u: 1 };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return { a: value.map((item) => toWire(item)) };
  if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    return { o: Object.entries(value).map(([key, item]) => [key, toWire(item)]) };
  }
  throw new TypeError(`not implemented on the Chromium host: sending a ${typeof value} that JSON does not know`);
}

/** The value that `toWire` was given. */
export function fromWire(wire: unknown): unknown {
  if (wire === null || typeof wire !== "object") return wire;
  // Made by toWire, in the app's own preload world or in this process.
  const { a, o } = wire as { readonly a?: readonly unknown[]; readonly o?: readonly (readonly [string, unknown])[] };
  if (a !== undefined) return a.map((item) => fromWire(item));
  if (o !== undefined) return Object.fromEntries(o.map(([key, item]) => [key, fromWire(item)]));
  return undefined;
}
