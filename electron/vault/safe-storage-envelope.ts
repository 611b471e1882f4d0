/**
 * The envelope sealed by Electron's `safeStorage` (asynchronous API, after `ready` only).
 *
 * Invariants: on Linux nothing is trusted to Chromium's fallback with its fixed key, whose ciphertext starts with `v10`
 * although the API calls itself available (on Windows and macOS `v10` is the real thing). An envelope counts as lost only
 * when a probe shows that the place itself works: on Windows Chromium may have replaced its key for good.
 *
 * A refused keychain (macOS) shows as a place that is available and cannot seal: Chromium then has no key at all
 * (keychain_key_provider.mm: "keychain access is denied by the user or some other error occurs", kTemporarilyUnavailable).
 * An absent keychain item does not: Chromium makes it, and the place works. Electron asks once for each start of the app.
 */
import { withinDeadline } from "./deadline.ts";
import type { EnvelopeOutcome, KeyEnvelope, PlaceProblem, Sealing, StoredKey } from "./key-envelope.ts";
import { keyBytes } from "./sealing.ts";

/** The part of Electron's `safeStorage` used here. */
export interface SafeStorageLike {
  readonly isAsyncEncryptionAvailable: () => Promise<boolean>;
  readonly encryptStringAsync: (plainText: string) => Promise<Buffer>;
  readonly decryptStringAsync: (encrypted: Buffer) => Promise<{ readonly result: string; readonly shouldReEncrypt: boolean }>;
}

export interface SafeStorageEnvelopeOptions {
  readonly platform: NodeJS.Platform;
  readonly timeoutMs: number;
}

/** Guards against text of another program that the same key happens to open. */
const label = "dms-connect vault key 1:";
const probeText = "dms-connect probe";
const timedOut = { kind: "unavailable", problem: "timed_out" } as const;

export function createSafeStorageEnvelope(safeStorage: SafeStorageLike, { platform, timeoutMs }: SafeStorageEnvelopeOptions): KeyEnvelope {
  const check = () => withinDeadline<PlaceProblem | undefined, "timed_out">(timeoutMs, probe(safeStorage, platform), "timed_out");
  return {
    name: "safeStorage",
    open: async (stored) => {
      const problem = await check();
      if (problem !== undefined) return { kind: "unavailable", problem };
      return withinDeadline(timeoutMs, openEnvelope(safeStorage, platform, stored), timedOut, wipeOpened);
    },
    seal: async (_vaultId, _keyId, vaultKey) => {
      const problem = await check();
      if (problem !== undefined) return { kind: "refused", problem };
      return withinDeadline<Sealing, Sealing>(timeoutMs, sealEnvelope(safeStorage, platform, vaultKey), {
        kind: "refused",
        problem: "timed_out",
      });
    },
    // The place keeps one key for everything; nothing there belongs to this one.
    forget: async () => true,
  };
}

/** Encrypts and decrypts a probe: whether the place works, and with a key that is not the fixed one. */
async function probe(safeStorage: SafeStorageLike, platform: NodeJS.Platform): Promise<PlaceProblem | undefined> {
  let available = false;
  try {
    available = await safeStorage.isAsyncEncryptionAvailable();
    if (!available) return "unavailable";
    const sealed = await safeStorage.encryptStringAsync(probeText);
    if (usesFixedKey(sealed, platform)) return "fixed_key";
    const opened = await safeStorage.decryptStringAsync(sealed);
    return opened.result === probeText ? undefined : "unavailable";
  } catch {
    return available ? withoutKey(platform) : "unavailable";
  }
}

/** What it means that the place is there and has no key. */
function withoutKey(platform: NodeJS.Platform): PlaceProblem {
  return platform === "darwin" ? "denied" : "unavailable";
}

async function sealEnvelope(safeStorage: SafeStorageLike, platform: NodeJS.Platform, vaultKey: Uint8Array): Promise<Sealing> {
  try {
    const sealed = await safeStorage.encryptStringAsync(label + Buffer.from(vaultKey).toString("base64"));
    if (usesFixedKey(sealed, platform)) return { kind: "refused", problem: "fixed_key" };
    return { kind: "sealed", text: sealed.toString("base64") };
  } catch {
    return { kind: "refused", problem: withoutKey(platform) };
  }
}

function usesFixedKey(sealed: Buffer, platform: NodeJS.Platform): boolean {
  return platform === "linux" && sealed.subarray(0, 3).equals(Buffer.from("v10"));
}

async function openEnvelope(
  safeStorage: SafeStorageLike,
  platform: NodeJS.Platform,
  stored: StoredKey | undefined,
): Promise<EnvelopeOutcome> {
  if (stored?.sealed.safeStorage === undefined) return { kind: "lost" };
  const sealed = Buffer.from(stored.sealed.safeStorage, "base64");
  if (usesFixedKey(sealed, platform)) return { kind: "lost" };
  try {
    const opened = await safeStorage.decryptStringAsync(sealed);
    if (!opened.result.startsWith(label)) return { kind: "lost" };
    const vaultKey = Buffer.from(opened.result.slice(label.length), "base64");
    return vaultKey.length === keyBytes ? { kind: "opened", vaultKey, stale: opened.shouldReEncrypt } : { kind: "lost" };
  } catch (error) {
    return saysTemporary(error) ? { kind: "unavailable", problem: withoutKey(platform) } : { kind: "lost" };
  }
}

function wipeOpened(outcome: EnvelopeOutcome): void {
  if (outcome.kind === "opened") outcome.vaultKey.fill(0);
}

/** Electron tells the two apart only in the message (electron_api_safe_storage.cc, `temporarily_unavailable`). */
function saysTemporary(error: unknown): boolean {
  return error instanceof Error && error.message.includes("temporarily unavailable");
}
