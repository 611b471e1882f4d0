/**
 * The file of an export: a plain header that says how the key is made, and one sealed body.
 *
 * Invariants: nothing of the contents stands in the open, not even how many there are; the body opens only beside the
 * header it was sealed with, so that nobody can exchange the key's parameters; a damaged file is told from a wrong
 * passphrase by a checksum, which proves nothing but that.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { TransferSeal } from "../core/ports.ts";
import type { TransferContents } from "../core/transfer-contents.ts";
import { checkPassphrase, derivePassphraseKey, newPassphraseParameters, passphraseParametersSchema } from "./passphrase-key.ts";
import { openBytes, type RecordContext, sealBytes } from "./sealing.ts";
import { parseJson } from "./stored-json.ts";
import { parseTransferContents, writeTransferContents } from "./transfer-schema.ts";

const format = "dms-connect-transfer";
const version = 1;

const versionSchema = z.object({ format: z.literal(format), version: z.int().min(1) });
const fileSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  kdf: passphraseParametersSchema,
  /** Hexadecimal, over `checkedText`. */
  sha256: z.string(),
  sealed: z.base64(),
});
type TransferFile = z.infer<typeof fileSchema>;

/** Makes the seal that exports and imports use: AES-256-GCM under a key derived from the passphrase. */
export function createTransferSeal(): TransferSeal {
  return {
    checkPassphrase,
    seal: async (contents, passphrase) => {
      const weak = checkPassphrase(passphrase);
      return weak === undefined ? ok(await sealContents(contents, passphrase)) : err(weak);
    },
    open: async (text, passphrase) => {
      const file = readFile(text);
      return file.ok ? openFile(file.value, passphrase) : file;
    },
  };
}

async function sealContents(contents: TransferContents, passphrase: string): Promise<string> {
  // Parsed here as it is at opening, so that the bound text is the same on both sides.
  const kdf = passphraseParametersSchema.parse(newPassphraseParameters());
  const plain = Buffer.from(writeTransferContents(contents), "utf8");
  const key = await derivePassphraseKey(passphrase, kdf);
  try {
    const sealed = sealBytes(key, contextOf(kdf), plain).toString("base64");
    const file: TransferFile = { format, version, kdf, sha256: checksum(kdf, sealed), sealed };
    return `${JSON.stringify(file, undefined, 2)}\n`;
  } finally {
    key.fill(0);
    plain.fill(0);
  }
}

function readFile(text: string): Result<TransferFile> {
  const value = parseJson(text);
  const unreadable = failure("vault_transfer_unreadable");
  const stated = versionSchema.safeParse(value);
  if (!stated.success) return err(unreadable);
  if (stated.data.version > version) return err(failure("vault_transfer_newer"));
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return err(unreadable);
  const { kdf, sealed, sha256 } = parsed.data;
  return sha256 === checksum(kdf, sealed) ? ok(parsed.data) : err(unreadable);
}

async function openFile({ kdf, sealed }: TransferFile, passphrase: string): Promise<Result<TransferContents>> {
  const key = await derivePassphraseKey(passphrase, kdf);
  const plain = openBytes(key, contextOf(kdf), Buffer.from(sealed, "base64"));
  key.fill(0);
  if (plain === undefined) return err(failure("vault_passphrase_wrong"));
  const contents = parseTransferContents(plain.toString("utf8"));
  plain.fill(0);
  return contents === undefined ? err(failure("vault_transfer_unreadable")) : ok(contents);
}

function contextOf(kdf: TransferFile["kdf"]): RecordContext {
  return { kind: "transfer", names: [], recordVersion: version, generation: 0, boundText: headerText(kdf) };
}

function checksum(kdf: TransferFile["kdf"], sealed: string): string {
  return createHash("sha256").update(headerText(kdf)).update("\n").update(sealed).digest("hex");
}

function headerText(kdf: TransferFile["kdf"]): string {
  return JSON.stringify({ format, version, kdf });
}
