/** Bounds waits on the operating system's key stores: they may show a prompt that nobody answers. */

/**
 * Settles like `work`, or with `timedOut` after `timeoutMs`. The work cannot be stopped; its late answer goes to `discard`,
 * which wipes a key that nobody will use.
 */
export async function withinDeadline<T, L>(timeoutMs: number, work: Promise<T>, timedOut: L, discard?: (late: T) => void): Promise<T | L> {
  const { promise: deadline, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(resolve, timeoutMs, "late" as const);
  const winner = await Promise.race([work.then((value) => ({ value })), deadline]).finally(() => clearTimeout(timer));
  if (winner !== "late") return winner.value;
  // A late failure has no one to go to either.
  void work.then(discard, () => {});
  return timedOut;
}
