/** Which pairing is on screen. Invariant: one that a person is asked whether to block is not exchanged for another meanwhile. */
import { useState } from "react";
import type { PairingView } from "../../shared/views.ts";

/** The question whether to block a program. */
interface BlockStep {
  readonly pairing: PairingView;
  /** The program was blocked: nothing keeps the question here but the pairing itself. */
  readonly isAnswered: boolean;
}

export interface ShownPairing {
  readonly pairing: PairingView;
  readonly isBlock: boolean;
  /** It is not among the pairings any more, or has no time left. */
  readonly isOver: boolean;
}

interface Shown {
  /** Absent while nobody asks. */
  readonly shown: ShownPairing | undefined;
  readonly setBlockStep: (step: BlockStep | undefined) => void;
}

/**
 * @param pairings oldest first
 * @param nowMs Unix milliseconds
 */
export function useShownPairing(pairings: readonly PairingView[], nowMs: number): Shown {
  const [blockStep, setBlockStep] = useState<BlockStep>();
  const open = pairings.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  return { shown: shownPairing(open, blockStep), setBlockStep };
}

function shownPairing(open: readonly PairingView[], blockStep: BlockStep | undefined): ShownPairing | undefined {
  const asked = open.find(({ pairingId }) => pairingId === blockStep?.pairing.pairingId);
  if (asked !== undefined) return { pairing: asked, isBlock: true, isOver: false };
  if (blockStep !== undefined && !blockStep.isAnswered) return { pairing: blockStep.pairing, isBlock: true, isOver: true };
  const [oldest] = open;
  return oldest && { pairing: oldest, isBlock: false, isOver: false };
}
