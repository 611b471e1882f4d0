/**
 * The certificate of the https callback address: one leaf for each computer, since no public authority
 * issues any for loopback. Invariant: it can sign nothing (`CA:FALSE`), names loopback only, and its key
 * is kept nowhere but in the vault.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import { generate } from "selfsigned";
import { z } from "zod";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Clock, Vault } from "../core/ports.ts";
import type { LoopbackCertificate } from "./loopback-listener.ts";

const dayMs = 86_400_000;
/** A day under what browsers accept of public certificates. */
const lifetimeDays = 397;
const renewalDays = 30;
/** For a clock that is set back a little after the certificate was made. */
const backdatedMs = dayMs;

/** The vault's name for certificate and key. */
const secretName = "callback-certificate";

/**
 * Makes a self-signed EC P-256 certificate for 127.0.0.1, ::1 and localhost.
 *
 * @param nowMs Unix milliseconds; it lasts 397 days, of which one has passed
 */
export async function makeLoopbackCertificate(nowMs: number): Promise<LoopbackCertificate> {
  const notBeforeMs = nowMs - backdatedMs;
  const made = await generate([{ name: "commonName", value: subjectName(hostname()) }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate: new Date(notBeforeMs),
    notAfterDate: new Date(notBeforeMs + lifetimeDays * dayMs),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" },
          { type: 2, value: "localhost" },
        ],
      },
    ],
  });
  return { certificatePem: made.cert, privateKeyPem: made.private };
}

/** Whether the certificate ends within 30 days of `nowMs`, is not valid yet, or cannot be read. */
export function needsRenewal(certificatePem: string, nowMs: number): boolean {
  const certificate = readCertificate(certificatePem);
  if (certificate === undefined) return true;
  const endsSoon = certificate.validToDate.getTime() - nowMs < renewalDays * dayMs;
  return endsSoon || certificate.validFromDate.getTime() > nowMs;
}

/** SHA-256 of the certificate as browsers show it: upper-case hex pairs with colons. Throws if it cannot be read. */
export function certificateSha256(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256;
}

export interface CertificateStoreOptions {
  readonly readSecret: Vault["readSecret"];
  readonly saveSecret: Vault["saveSecret"];
  readonly nowMs: Clock["nowMs"];
}

export interface CertificateStore {
  /**
   * The stored certificate, or a new one if there is none, it is damaged or near its end. Saved before it
   * is handed out, so that a person never trusts one that is gone at the next start. Fails as the vault
   * does, or with `callback_certificate_failed`.
   */
  readonly get: () => Promise<Result<LoopbackCertificate>>;
}

/** Keeps certificate and key as one secret of the vault. Calls at the same time share one answer. */
export function createCertificateStore(options: CertificateStoreOptions): CertificateStore {
  let running: Promise<Result<LoopbackCertificate>> | undefined;
  return {
    get: () => {
      running ??= readOrMake(options).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

async function readOrMake(options: CertificateStoreOptions): Promise<Result<LoopbackCertificate>> {
  const stored = await options.readSecret(secretName);
  if (!stored.ok) return stored;
  const known = stored.value === undefined ? undefined : parseStored(stored.value);
  if (known !== undefined && !needsRenewal(known.certificatePem, options.nowMs())) return ok(known);
  return makeAndSave(options);
}

async function makeAndSave(options: CertificateStoreOptions): Promise<Result<LoopbackCertificate>> {
  let made: LoopbackCertificate;
  try {
    made = await makeLoopbackCertificate(options.nowMs());
  } catch {
    return err(failure("callback_certificate_failed"));
  }
  const saved = await options.saveSecret(secretName, JSON.stringify(made));
  return saved.ok ? ok(made) : saved;
}

const storedCertificate = z.object({ certificatePem: z.string(), privateKeyPem: z.string() });

/** Undefined unless the text holds a certificate and the key that belongs to it. */
function parseStored(text: string): LoopbackCertificate | undefined {
  try {
    const { certificatePem, privateKeyPem } = storedCertificate.parse(JSON.parse(text));
    const isPair = new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
    return isPair ? { certificatePem, privateKeyPem } : undefined;
  } catch {
    // The error may quote the text, which holds the key: dropped.
    return undefined;
  }
}

function readCertificate(certificatePem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(certificatePem);
  } catch {
    return undefined;
  }
}

/** At most 64 characters (X.520), and nothing that means something in a distinguished name. */
function subjectName(host: string): string {
  return `DMS Connect callback on ${host.replace(/[^A-Za-z0-9-]/g, "-")}`.slice(0, 64);
}
