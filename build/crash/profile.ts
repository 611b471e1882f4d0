/**
 * One profile folder through many runs, with the provider and the program that go with it. Invariant: what this object
 * remembers survives every kill; what the folder holds is the broker's alone.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Credentials } from "../../clients/node/dms-connect-client.ts";
import { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import { type RotatingProvider, startRotatingProvider } from "./rotating-provider.ts";
import type { ProviderStep } from "./steps.ts";
import { TokenFamilies } from "./token-families.ts";
import type { Finding, Totals } from "./totals.ts";

export interface Profile {
  readonly folder: string;
  readonly pipe: string;
  readonly safeStorageKey: string;
  readonly ledger: Ledger;
  readonly provider: RotatingProvider;
  /** Of every pairing that was acknowledged, oldest first. */
  readonly credentials: Credentials[];
  /** Revision of the registration that was last acknowledged; 0 before the first. */
  savedRevision: number;
  /** Last one that was asked for. */
  askedRevision: number;
  /** Set by each run: whether it was killed at this step. */
  onProviderStep: (step: ProviderStep) => boolean;
  readonly close: () => Promise<void>;
}

/** What a user's tokens are like, which decides when the broker may do what. */
export const users = [
  /** Ends between runs, so that a lost answer is asked about at once. */
  { name: "short-1", lifetimeSeconds: 2 },
  { name: "short-2", lifetimeSeconds: 3 },
  /** A little more than 30 s: a grant in doubt has to wait for some runs. */
  { name: "medium-1", lifetimeSeconds: 33 },
  { name: "medium-2", lifetimeSeconds: 34 },
  { name: "medium-3", lifetimeSeconds: 36 },
  /** Refreshed only when the API refuses it. */
  { name: "long-1", lifetimeSeconds: 600 },
] as const;

export interface OpenProfileOptions {
  /** Existing; the profile gets a folder of its own in it. */
  readonly parentFolder: string;
  readonly random: Random;
  readonly totals: Totals;
  readonly onFinding: (finding: Finding) => void;
}

/** Opens an empty profile. */
export async function openProfile({ parentFolder, random, totals, onFinding }: OpenProfileOptions): Promise<Profile> {
  // Short: the path of the socket in it may have about a hundred bytes only.
  const folder = await mkdtemp(join(parentFolder, "p-"));
  const lifetimes = new Map<string, number>(users.map(({ name, lifetimeSeconds }) => [name, lifetimeSeconds]));
  const families = new TokenFamilies((user) => lifetimes.get(user) ?? 60);
  const ledger = new Ledger({ families, seen: totals.seen, find: onFinding, nowMs: Date.now });
  const provider = await startRotatingProvider({
    families,
    random,
    seen: totals.seen,
    onRefreshSent: (generation, send) => ledger.refreshSent(generation, send),
    onStep: (step) => profile.onProviderStep(step),
  });
  const profile: Profile = {
    folder,
    pipe: process.platform === "win32" ? `\\\\.\\pipe\\dms-connect-${randomUUID()}` : join(folder, "pipe.sock"),
    safeStorageKey: randomBytes(32).toString("hex"),
    ledger,
    provider,
    credentials: [],
    savedRevision: 0,
    askedRevision: 0,
    onProviderStep: () => false,
    close: async () => {
      await provider.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return profile;
}
