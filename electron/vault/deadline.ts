/** Bounds waits on the operating system's key stores: they may show a prompt that nobody answers. */

/**
 * Settles like `work`, or with `timedOut` after `timeoutMs`. The work cannot be stopped; its late answer is dropped.
 */
export function withinDeadline<T, L>(timeoutMs: number, work: Promise<T>, timedOut: L): Promise<T | L> {
  const { promise: deadline, resolve } = Promise.withResolvers<L>();
  const timer = setTimeout(() => resolve(timedOut), timeoutMs);
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
