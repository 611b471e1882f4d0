/** The smallest typed event source: `core/` may not import Node's. Listeners are called in order; one may remove itself (a Set's iteration allows it). */
export interface Emitter<T> {
  readonly emit: (value: T) => void;
  /** Returns a function that stops listening. */
  readonly listen: (listener: (value: T) => void) => () => void;
}

export function createEmitter<T>(): Emitter<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    emit: (value) => {
      for (const listener of listeners) listener(value);
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
