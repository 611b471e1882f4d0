/**
 * The envelope sealed by Electron's `safeStorage` (asynchronous API, after `ready` only).
 *
 * Invariants: on Linux nothing is trusted to Chromium's fallback with its fixed key, whose ciphertext starts with `v10`
 * although the API calls itself available (on Windows and macOS `v10` is the real thing). An envelope counts as lost only
 * when a probe shows that the place itself works: on Windows Chromium may have replaced its key for good.
 */
import { withinDeadline } from "./deadline.ts";
import type { EnvelopeOutcome, KeyEnvelope } from "./key-envelope.ts";
import type { KeyFile } from "./key-file.ts";
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

export function createSafeStorageEnvelope(safeStorage: SafeStorageLike, options: SafeStorageEnvelopeOptions): KeyEnvelope {
  const bounded = <T>(work: Promise<T>) => withinDeadline(options.timeoutMs, work, "timed_out" as const);
  const check = () => bounded(probe(safeStorage, options.platform));
  return {
    name: "safeStorage",
    open: async (file) => {
      const checked = await check();
      if (checked !== "works") return { kind: "unavailable", problem: checked };
      const outcome = await bounded(openEnvelope(safeStorage, options.platform, file));
      return outcome === "timed_out" ? { kind: "unavailable", problem: outcome } : outcome;
    },
    seal: async (_vaultId, vaultKey) => {
      if ((await check()) !== "works") return undefined;
      const sealed = await bounded(sealEnvelope(safeStorage, options.platform, vaultKey));
      return sealed === "timed_out" ? undefined : sealed;
    },
  };
}

/** Encrypts and decrypts a probe: whether the place works, and with a key that is not the fixed one. */
async function probe(safeStorage: SafeStorageLike, platform: NodeJS.Platform): Promise<"works" | "unavailable" | "fixed_key"> {
  try {
    if (!(await safeStorage.isAsyncEncryptionAvailable())) return "unavailable";
    const sealed = await safeStorage.encryptStringAsync(probeText);
    if (usesFixedKey(sealed, platform)) return "fixed_key";
    const opened = await safeStorage.decryptStringAsync(sealed);
    return opened.result === probeText ? "works" : "unavailable";
  } catch {
    return "unavailable";
  }
}

async function sealEnvelope(safeStorage: SafeStorageLike, platform: NodeJS.Platform, vaultKey: Uint8Array): Promise<string | undefined> {
  try {
    const sealed = await safeStorage.encryptStringAsync(label + Buffer.from(vaultKey).toString("base64"));
    return usesFixedKey(sealed, platform) ? undefined : sealed.toString("base64");
  } catch {
    return undefined;
  }
}

function usesFixedKey(sealed: Buffer, platform: NodeJS.Platform): boolean {
  return platform === "linux" && sealed.subarray(0, 3).equals(Buffer.from("v10"));
}

async function openEnvelope(safeStorage: SafeStorageLike, platform: NodeJS.Platform, file: KeyFile | undefined): Promise<EnvelopeOutcome> {
  if (file?.safeStorage === undefined) return { kind: "lost" };
  const sealed = Buffer.from(file.safeStorage, "base64");
  if (usesFixedKey(sealed, platform)) return { kind: "lost" };
  try {
    const opened = await safeStorage.decryptStringAsync(sealed);
    if (!opened.result.startsWith(label)) return { kind: "lost" };
    const vaultKey = Buffer.from(opened.result.slice(label.length), "base64");
    return vaultKey.length === keyBytes ? { kind: "opened", vaultKey, stale: opened.shouldReEncrypt } : { kind: "lost" };
  } catch (error) {
    return saysTemporary(error) ? { kind: "unavailable", problem: "temporarily_unavailable" } : { kind: "lost" };
  }
}

/** Electron tells the two apart only in the message (electron_api_safe_storage.cc, `temporarily_unavailable`). */
function saysTemporary(error: unknown): boolean {
  return error instanceof Error && error.message.includes("temporarily unavailable");
}
