/**
 * What proxies want to know before they let a request through. Invariants: a sign-in is given only to the proxy it was saved
 * for; one that was refused is not given again in this run, because a company locks the account of whoever keeps trying; it lies
 * in the vault and nowhere else, so there is none while the vault is closed; none is ever logged.
 */
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import type { ProxySignInParams } from "../../shared/ipc-contract.ts";
import { err, type Result } from "../../shared/result.ts";
import type { Vault } from "../core/ports.ts";

export interface ProxySignIn {
  readonly userName: string;
  readonly password: string;
}

export type ProxySignInStore = Pick<Vault, "readSecret" | "saveSecret">;

export interface ProxySignIns {
  /** The vault is open: sign-ins are kept there from now on. */
  readonly attach: (store: ProxySignInStore) => void;
  /** The vault closes. */
  readonly detach: () => void;
  /**
   * @param proxy host and port
   * @returns what may be tried; undefined when nothing is saved for it, it was refused, or the vault is closed; never rejects
   */
  readonly find: (proxy: string) => Promise<ProxySignIn | undefined>;
  /** The proxy has not accepted this: it is not found again until another one is saved, or the app starts anew. */
  readonly refused: (proxy: string, signIn: ProxySignIn) => void;
  /** Replaces what was saved for this proxy. Fails with `vault_locked`, or as writing to the vault does. */
  readonly save: (params: ProxySignInParams) => Promise<Result<undefined>>;
}

const storedSignIn = z.object({ userName: z.string(), password: z.string() });

/** Made before the vault is open, since the network is there first. */
export function createProxySignIns(): ProxySignIns {
  let store: ProxySignInStore | undefined;
  const refused = new Map<string, ProxySignIn>();
  return {
    attach: (opened) => {
      store = opened;
    },
    detach: () => {
      store = undefined;
    },
    find: async (proxy) => {
      const read = await store?.readSecret(secretName(proxy));
      const found = read?.ok === true && read.value !== undefined ? parseStored(read.value) : undefined;
      const wrong = refused.get(secretName(proxy));
      return found !== undefined && wrong !== undefined && isSame(found, wrong) ? undefined : found;
    },
    refused: (proxy, signIn) => void refused.set(secretName(proxy), signIn),
    save: async ({ proxy, userName, password }) => {
      if (store === undefined) return err(failure("vault_locked"));
      // Also the same again: the person may have set it right at the proxy.
      refused.delete(secretName(proxy));
      return store.saveSecret(secretName(proxy), JSON.stringify({ userName, password }));
    },
  };
}

function isSame(one: ProxySignIn, other: ProxySignIn): boolean {
  return one.userName === other.userName && one.password === other.password;
}

/** However a person writes it: `HTTP://Proxy.example:8080/` is `proxy.example:8080`. */
function secretName(proxy: string): string {
  const bare = proxy
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "");
  return `proxy:${bare}`;
}

/** What cannot be read counts as not saved: the person is asked again. */
function parseStored(text: string): ProxySignIn | undefined {
  try {
    const parsed = storedSignIn.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
