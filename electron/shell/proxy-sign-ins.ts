/**
 * What proxies want to know before they let a request through. Invariants: a sign-in is given only to the proxy it was saved
 * for; until it has worked once in this run, one request tries it while the others wait for what becomes of that; one that was
 * refused is not given again until a person has saved some, not even after a restart. A company locks the account of whoever
 * keeps trying. Sign-ins lie in the vault and nowhere else, so there is none while the vault is closed; none is ever logged.
 */
import { bareProxyName, createProxySignInStore, isSameSignIn, type ProxySignIn, type ProxySignInStore } from "./proxy-sign-ins-store.ts";

/** What became of a request that had a turn. `unknown`: it ended without a word of the proxy or of a server behind it. */
export type TurnOutcome = "accepted" | "refused" | "not-asked" | "unknown";

/** The right to give a sign-in to its proxy. */
export interface ProxyTurn {
  readonly signIn: ProxySignIn;
  /** Has to be called, because others may be waiting. Only the first call counts. */
  readonly end: (outcome: TurnOutcome) => void;
}

export type TakenTurn =
  | { readonly kind: "turn"; readonly turn: ProxyTurn }
  /** Nothing is saved, it was refused, or the vault is closed. */
  | { readonly kind: "nothing" }
  /** Another request has been trying for too long. */
  | { readonly kind: "too-long" };

export interface ProxySignIns extends Pick<ProxySignInStore, "attach" | "detach" | "save"> {
  /**
   * What may be tried now that a proxy asks. Waits, within bounds, while another request is the first to try it; never rejects.
   *
   * @param proxy host and port
   * @param signal ends the waiting with `too-long`
   */
  readonly take: (proxy: string, signal: AbortSignal) => Promise<TakenTurn>;
  /**
   * The same before a request is sent, where it is known which proxy it will go to. `nothing` also where there is nothing to wait
   * for: the sign-in has worked before, or the proxy has let a request through without asking.
   */
  readonly takeAhead: (proxy: string, signal: AbortSignal) => Promise<TakenTurn>;
}

/** What this run knows of a proxy. */
interface ProxyMemory {
  proven: ProxySignIn | undefined;
  /** It has let a request through without asking for anything. */
  isQuiet: boolean;
  /** Settles when the request that tries first knows what becomes of it. */
  trying: Promise<void> | undefined;
}

/** A proxy refuses within seconds, and who waits needs time for the request itself after that. */
const longestTryMs = 10_000;

/** Made before the vault is open, since the network is there first. */
export function createProxySignIns({ longestWaitMs = longestTryMs }: { readonly longestWaitMs?: number } = {}): ProxySignIns {
  const store = createProxySignInStore();
  const memories = new Map<string, ProxyMemory>();
  const memoryOf = (proxy: string): ProxyMemory => {
    const name = bareProxyName(proxy);
    const memory = memories.get(name) ?? { proven: undefined, isQuiet: false, trying: undefined };
    memories.set(name, memory);
    return memory;
  };
  const learn = (proxy: string, signIn: ProxySignIn, outcome: TurnOutcome): void => {
    const memory = memoryOf(proxy);
    if (outcome === "not-asked") memory.isQuiet = true;
    if (outcome === "accepted") memory.proven = signIn;
    if (outcome !== "refused") return;
    store.markRefused(proxy, signIn);
    if (isSameSignIn(signIn, memory.proven)) memory.proven = undefined;
  };
  /** Alone, or beside others because the sign-in is known to work. */
  const newTurn = (proxy: string, signIn: ProxySignIn, isAlone: boolean): ProxyTurn => {
    const { promise: trying, resolve: onEnded } = Promise.withResolvers<void>();
    const memory = memoryOf(proxy);
    if (isAlone) memory.trying = trying;
    let isEnded = false;
    const end = (outcome: TurnOutcome): void => {
      if (isEnded) return;
      isEnded = true;
      learn(proxy, signIn, outcome);
      if (isAlone) memory.trying = undefined;
      onEnded();
    };
    return { signIn, end };
  };
  const take = async (proxy: string, signal: AbortSignal, isAhead: boolean): Promise<TakenTurn> => {
    const limit = startLimit(longestWaitMs, signal);
    try {
      for (;;) {
        const signIn = await store.find(proxy);
        if (signIn === undefined) return { kind: "nothing" };
        const { proven, isQuiet, trying } = memoryOf(proxy);
        const isProven = isSameSignIn(signIn, proven);
        if (isAhead && (isProven || isQuiet)) return { kind: "nothing" };
        if (isProven || trying === undefined) return { kind: "turn", turn: newTurn(proxy, signIn, !isProven) };
        if (await limit.isReachedBefore(trying)) return { kind: "too-long" };
      }
    } finally {
      limit.stop();
    }
  };
  return {
    attach: store.attach,
    detach: store.detach,
    save: async (params) => {
      const saved = await store.save(params);
      if (saved.ok) Object.assign(memoryOf(params.proxy), { proven: undefined, isQuiet: false });
      return saved;
    },
    take: (proxy, signal) => take(proxy, signal, false),
    takeAhead: (proxy, signal) => take(proxy, signal, true),
  };
}

interface Limit {
  readonly isReachedBefore: (other: Promise<void>) => Promise<boolean>;
  readonly stop: () => void;
}

/** Is reached after a time, or when nobody wants to wait any more. */
function startLimit(afterMs: number, signal: AbortSignal): Limit {
  const { promise: reached, resolve } = Promise.withResolvers<true>();
  const reach = (): void => resolve(true);
  const timer = setTimeout(reach, afterMs);
  signal.addEventListener("abort", reach, { once: true });
  if (signal.aborted) reach();
  return {
    isReachedBefore: (other) => Promise.race([reached, other.then(() => false)]),
    stop: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", reach);
    },
  };
}
