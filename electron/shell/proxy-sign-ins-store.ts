/**
 * The sign-ins of proxies, as they lie in the vault. Invariants: one that was refused stays marked until a person saves some; a
 * mark never lands on another sign-in than the refused one.
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

export type ProxySignInVault = Pick<Vault, "readSecret" | "saveSecret">;

export interface ProxySignInStore {
  /** The vault is open: sign-ins are kept there from now on. */
  readonly attach: (vault: ProxySignInVault) => void;
  /** The vault closes. */
  readonly detach: () => void;
  /**
   * @param proxy host and port
   * @returns what was saved for it and not refused; undefined as well while the vault is closed; never rejects
   */
  readonly find: (proxy: string) => Promise<ProxySignIn | undefined>;
  /** Marks this one, if it is still the one that is saved. */
  readonly markRefused: (proxy: string, signIn: ProxySignIn) => void;
  /** Replaces what was saved for this proxy, mark and all. Fails with `vault_locked`, or as writing to the vault does. */
  readonly save: (params: ProxySignInParams) => Promise<Result<undefined>>;
}

const storedSignIn = z.object({ userName: z.string(), password: z.string(), wasRefused: z.boolean().optional() });
type StoredSignIn = z.infer<typeof storedSignIn>;

/** Made before the vault is open, since the network is there first. */
export function createProxySignInStore(): ProxySignInStore {
  let vault: ProxySignInVault | undefined;
  /** For this run, where the mark could not be written. */
  const refused = new Map<string, ProxySignIn>();
  // One after the other: a mark must not overwrite what a person saves meanwhile.
  let writes: Promise<unknown> = Promise.resolve();
  const write = <T>(change: () => Promise<T>): Promise<T> => {
    const changed = writes.then(change);
    writes = changed.catch(() => undefined);
    return changed;
  };
  const read = async (name: string): Promise<StoredSignIn | undefined> => {
    const found = await vault?.readSecret(name);
    return found?.ok === true && found.value !== undefined ? parseStored(found.value) : undefined;
  };
  const mark = async (name: string, signIn: ProxySignIn): Promise<void> => {
    const found = await read(name);
    // A person may have saved since: even the same again may be right now.
    if (found === undefined || !isSameSignIn(found, signIn) || !isSameSignIn(signIn, refused.get(name))) return;
    await vault?.saveSecret(name, toText({ ...found, wasRefused: true }));
  };
  return {
    attach: (opened) => {
      vault = opened;
    },
    detach: () => {
      vault = undefined;
    },
    find: async (proxy) => {
      const found = await read(secretName(proxy));
      if (found === undefined || found.wasRefused === true || isSameSignIn(found, refused.get(secretName(proxy)))) return undefined;
      return { userName: found.userName, password: found.password };
    },
    markRefused: (proxy, signIn) => {
      const name = secretName(proxy);
      refused.set(name, signIn);
      void write(() => mark(name, signIn)).catch(() => undefined);
    },
    save: ({ proxy, userName, password }) =>
      write(async () => {
        if (vault === undefined) return err(failure("vault_locked"));
        const saved = await vault.saveSecret(secretName(proxy), toText({ userName, password }));
        if (saved.ok) refused.delete(secretName(proxy));
        return saved;
      }),
  };
}

export function isSameSignIn(one: ProxySignIn, other: ProxySignIn | undefined): boolean {
  return one.userName === other?.userName && one.password === other.password;
}

/** Host and port, however a person writes them: `HTTP://Proxy.example:8080/` is `proxy.example:8080`. */
export function bareProxyName(proxy: string): string {
  return proxy
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "");
}

function secretName(proxy: string): string {
  return `proxy:${bareProxyName(proxy)}`;
}

function toText(signIn: StoredSignIn): string {
  return JSON.stringify(signIn);
}

/** What cannot be read counts as not saved: the person is asked again. */
function parseStored(text: string): StoredSignIn | undefined {
  try {
    const parsed = storedSignIn.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
