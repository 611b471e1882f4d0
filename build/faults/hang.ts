/** Tells a hang from a slow machine. Invariant: what takes longer than the bound waits for something that never comes. */

/** No step waits for anything but this process and this disk: the longest takes a second or two. */
const hangMs = 25_000;

/** Something did not end, or still failed when nothing was in its way any more. */
export class Hang extends Error {
  override readonly name = "Hang";
}

/** Waits for `work`; throws `Hang` when it does not end. */
export async function bounded<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Hang(`${what} does not end`)), hangMs);
  });
  try {
    return await Promise.race([work, hang]);
  } finally {
    clearTimeout(timer);
  }
}
