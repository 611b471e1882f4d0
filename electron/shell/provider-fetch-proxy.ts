/**
 * One request's dealings with the proxies on its way. Invariants: each gets a saved sign-in once at most; whatever turn was taken
 * is ended.
 */
import type { ProxySignIns, ProxyTurn } from "./proxy-sign-ins.ts";
import type { ProxySignIn } from "./proxy-sign-ins-store.ts";

export interface ProxyDealings {
  /**
   * Before the request is sent: waits while another one tries the sign-in of this proxy. Not only when the proxy asks, because
   * Chromium keeps what it has been given before it knows whether that is right, and gives it for every other request
   * (HttpAuthController::ResetAuth).
   *
   * @returns whether the request may be sent
   */
  readonly waitFor: (proxy: string) => Promise<boolean>;
  /** A proxy asks. Undefined: there is nothing to give, or it has refused what it got. */
  readonly signInFor: (proxy: string) => Promise<ProxySignIn | undefined>;
  /** The request is over: with an answer from behind the proxies, or with none. */
  readonly end: (isAnswered: boolean) => void;
}

export function createProxyDealings(signIns: Pick<ProxySignIns, "take" | "takeAhead">, signal: AbortSignal): ProxyDealings {
  const turns = new Map<string, ProxyTurn>();
  const asked = new Set<string>();
  let isEnded = false;
  const keep = (proxy: string, turn: ProxyTurn): void => {
    turns.set(proxy, turn);
    // The request did not wait for it.
    if (isEnded) turn.end("unknown");
  };
  return {
    waitFor: async (proxy) => {
      const taken = await signIns.takeAhead(proxy, signal);
      if (taken.kind === "turn") keep(proxy, taken.turn);
      return taken.kind !== "too-long";
    },
    signInFor: async (proxy) => {
      if (asked.has(proxy)) {
        turns.get(proxy)?.end("refused");
        return undefined;
      }
      asked.add(proxy);
      if (!turns.has(proxy)) {
        const taken = await signIns.take(proxy, signal);
        if (taken.kind === "turn") keep(proxy, taken.turn);
      }
      return isEnded ? undefined : turns.get(proxy)?.signIn;
    },
    end: (isAnswered) => {
      isEnded = true;
      for (const [proxy, turn] of turns) {
        const passed = asked.has(proxy) ? "accepted" : "not-asked";
        turn.end(isAnswered ? passed : "unknown");
      }
    },
  };
}
