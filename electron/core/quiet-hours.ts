/** Times of day in which nobody is disturbed. Pure. */

const dayMinutes = 24 * 60;

interface QuietHours {
  /** `HH:MM`; empty: none. */
  readonly quietFrom: string;
  readonly quietTo: string;
}

/**
 * How long quiet hours still last. They may pass midnight; two equal times are none.
 *
 * @param localMinutes minutes since midnight
 * @returns minutes; 0 outside them
 */
export function quietMinutesLeft({ quietFrom, quietTo }: QuietHours, localMinutes: number): number {
  const from = minutesOf(quietFrom);
  const to = minutesOf(quietTo);
  if (from === undefined || to === undefined) return 0;
  const sinceBegin = modulo(localMinutes - from, dayMinutes);
  return Math.max(0, modulo(to - from, dayMinutes) - sinceBegin);
}

function minutesOf(timeOfDay: string): number | undefined {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(timeOfDay) ?? [];
  return hours === undefined || minutes === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
