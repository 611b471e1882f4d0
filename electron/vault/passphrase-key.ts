/**
 * Turns a passphrase into a key: scrypt (RFC 7914) over the passphrase prepared much like RFC 8265's OpaqueString.
 *
 * Invariants: the parameters are stored beside what was sealed and are checked before they are used, so that a hostile
 * file can cost neither more memory nor more time than the bounds below allow; the passphrase's bytes are wiped.
 */
import { randomBytes, scrypt } from "node:crypto";
import { z } from "zod";
import { type Failure, failure } from "../../shared/failure.ts";

const keyBytes = 32;
const saltBytes = 16;
const leastCharacters = 12;
/** What one derivation may take; the largest N with r = 8 needs just this. */
const mostMemoryBytes = 2 ** 30;

export const passphraseParametersSchema = z
  .strictObject({
    algorithm: z.literal("scrypt"),
    salt: z.base64().max(88).refine(isLongEnough),
    N: z
      .int()
      .min(2 ** 15)
      .max(2 ** 20)
      .refine(isPowerOfTwo),
    r: z.int().min(8).max(32),
    p: z.int().min(1).max(4),
  })
  .refine(({ N, r }) => 128 * N * r <= mostMemoryBytes);

/** `salt` is base64; `N`, `r` and `p` are scrypt's cost, block size and parallelization (RFC 7914 section 2). */
export type PassphraseParameters = Readonly<z.infer<typeof passphraseParametersSchema>>;

/** Parameters with a fresh salt: 128 MiB and about a third of a second, as OWASP's Password Storage Cheat Sheet asks for. */
export function newPassphraseParameters(): PassphraseParameters {
  return { algorithm: "scrypt", salt: randomBytes(saltBytes).toString("base64"), N: 2 ** 17, r: 8, p: 1 };
}

/** 32 bytes, which the caller wipes. `parameters` come from `passphraseParametersSchema`. Rejects when there is not enough memory. */
export function derivePassphraseKey(passphrase: string, parameters: PassphraseParameters): Promise<Buffer> {
  const { N, r, p } = parameters;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const text = Buffer.from(prepared(passphrase), "utf8");
  const maxmem = 128 * r * (N + p + 2);
  scrypt(text, Buffer.from(parameters.salt, "base64"), keyBytes, { N, r, p, maxmem }, (error, key) => {
    text.fill(0);
    if (error === null) resolve(key);
    else reject(error);
  });
  return promise;
}

/** `vault_passphrase_weak` for a passphrase of fewer than 12 characters, or of one character repeated. */
export function checkPassphrase(passphrase: string): Failure | undefined {
  const characters = Array.from(prepared(passphrase));
  if (characters.length >= leastCharacters && new Set(characters).size > 1) return undefined;
  return failure("vault_passphrase_weak", { least: leastCharacters });
}

/**
 * The same text from every keyboard: RFC 8265 section 4.2.2 maps spaces to U+0020 and composes. Compatible characters are
 * composed, too (NFKC), because full-width forms come from the input method, not from the person.
 */
function prepared(passphrase: string): string {
  return passphrase.replace(/\p{Zs}/gu, " ").normalize("NFKC");
}

function isLongEnough(salt: string): boolean {
  return Buffer.from(salt, "base64").length >= saltBytes;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
