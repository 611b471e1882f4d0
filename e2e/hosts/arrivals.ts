/** Things that arrive one by one and are awaited one by one. Invariant: each is handed out once, in order. */
export interface Arrivals<T> {
  readonly add: (item: T) => void;
  /** The next item not handed out yet; rejects once `end` was called and none is left. */
  readonly next: () => Promise<T>;
  readonly end: (reason: Error) => void;
}

/** Makes an empty line of arrivals. */
export function createArrivals<T>(): Arrivals<T> {
  const items: T[] = [];
  const waiting: PromiseWithResolvers<T>[] = [];
  let ended: Error | undefined;
  return {
    add: (item) => {
      const waiter = waiting.shift();
      if (waiter === undefined) items.push(item);
      else waiter.resolve(item);
    },
    next: async () => {
      const item = items.shift();
      if (item !== undefined) return item;
      if (ended !== undefined) throw ended;
      const waiter = Promise.withResolvers<T>();
      waiting.push(waiter);
      return waiter.promise;
    },
    end: (reason) => {
      ended = reason;
      for (const waiter of waiting.splice(0)) waiter.reject(reason);
    },
  };
}
