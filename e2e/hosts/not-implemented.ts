/** Keeps the stand-in honest: what it does not do throws by name, so that no test passes on a call that did nothing. */
import type { EventEmitter } from "node:events";

/** Thrown where the app uses a part of Electron that the Chromium host does not have. */
export class NotImplementedError extends Error {
  constructor(what: string) {
    super(`not implemented on the Chromium host: ${what}`);
    this.name = "NotImplementedError";
  }
}

/**
 * Makes a stand-in for an object of Electron: `implemented` as it is, and an error for any other property.
 *
 * @param name how the object is called in the error
 * @param emitter carries `on`, `once`, … where the original is an EventEmitter
 * @param absent properties that Electron itself leaves undefined on this platform
 */
export function standIn<T extends object>(
  name: string,
  implemented: Partial<T>,
  emitter?: EventEmitter,
  absent: readonly string[] = [],
): T {
  const target = Object.defineProperties(emitter ?? {}, Object.getOwnPropertyDescriptors(implemented));
  const isKnown = (key: string | symbol): boolean => Reflect.has(target, key) || isProbe(key) || absent.includes(String(key));
  const proxy = new Proxy(target, {
    get: (object, key) => {
      if (!isKnown(key)) throw new NotImplementedError(`${name}.${String(key)}`);
      return Reflect.get(object, key) as unknown;
    },
    set: (object, key, value) => {
      if (!isKnown(key)) throw new NotImplementedError(`${name}.${String(key)} = …`);
      return Reflect.set(object, key, value);
    },
  });
  // What is missing from `implemented` throws in the proxy instead of being undefined.
  return proxy as T;
}

/** Makes a stand-in for a class: `construct` makes its instances, `statics` are its static members. */
export function standInClass(name: string, construct: (...args: unknown[]) => object, statics: object = {}): object {
  // A function, because only functions can be called with `new`.
  const target = function StandIn(): void {};
  return new Proxy(target, {
    construct: (_target, args: unknown[]) => construct(...args),
    get: (object, key) => {
      if (Reflect.has(statics, key)) return Reflect.get(statics, key) as unknown;
      if (key in object || isProbe(key)) return Reflect.get(object, key) as unknown;
      throw new NotImplementedError(`${name}.${String(key)}`);
    },
  });
}

/** Looked up by `await`, `JSON.stringify` and inspection on any object at all. */
function isProbe(key: string | symbol): boolean {
  return typeof key === "symbol" || key === "then" || key === "toJSON" || key === "constructor";
}
