/** What may happen to one request and its answer on their way. Pure. */
import { assertNever } from "../../shared/result.ts";
import type { Random } from "../crash/random.ts";

export type Fate =
  /** Both arrive, after these times. */
  | { readonly kind: "pass"; readonly requestDelayMs: number; readonly answerDelayMs: number }
  /** The connection ends after this share of the first bytes, with or without a reset. */
  | { readonly kind: "cut-request" | "cut-answer"; readonly share: number; readonly isReset: boolean }
  /** One byte, this far into the first bytes, arrives as another one. */
  | { readonly kind: "corrupt-request" | "corrupt-answer"; readonly share: number }
  /** Ends before a byte has passed. */
  | { readonly kind: "close" }
  /** Nothing passes any more in either direction, and nobody is told. */
  | { readonly kind: "stall" };
export type FateKind = Fate["kind"];

/** What happens on a day without trouble. */
export const calmFate: Fate = { kind: "pass", requestDelayMs: 0, answerDelayMs: 0 };

/** In thousands; the rest passes. A lost answer may cost a person a sign-in, so there are far more than any network has. */
const troubles: readonly (readonly [Exclude<FateKind, "pass">, number])[] = [
  ["cut-request", 15],
  ["cut-answer", 20],
  ["corrupt-request", 10],
  ["corrupt-answer", 10],
  ["close", 15],
  // Each holds one of the app's few connections to the provider for as long as the app waits.
  ["stall", 2],
];
const slowShare = 0.1;
const verySlowShare = 0.01;

export function drawFate(random: Random): Fate {
  let drawn = random.between(0, 1_000);
  for (const [kind, share] of troubles) {
    if (drawn < share) return trouble(kind, random);
    drawn -= share;
  }
  return { kind: "pass", requestDelayMs: delayMs(random), answerDelayMs: delayMs(random) };
}

function trouble(kind: Exclude<FateKind, "pass">, random: Random): Fate {
  switch (kind) {
    case "cut-request":
    case "cut-answer":
      return { kind, share: random.fraction(), isReset: random.chance(0.5) };
    case "corrupt-request":
    case "corrupt-answer":
      return { kind, share: random.fraction() };
    case "close":
    case "stall":
      return { kind };
    default:
      return assertNever(kind);
  }
}

function delayMs(random: Random): number {
  // The longest stays well below what the app waits: what comes too late is what `stall` is for.
  if (random.chance(verySlowShare)) return random.between(1_500, 8_000);
  return random.between(0, random.chance(slowShare) ? 1_500 : 15);
}
