/** Trust in servers on this very computer, by exact certificate. Invariant: a host that is not loopback is judged by Chromium alone. */
import { X509Certificate } from "node:crypto";
import type { Session } from "electron";
import { isLoopbackHost } from "./loopback-host.ts";

/** `setCertificateVerifyProc` results: 0 trusts, -3 keeps Chromium's own verdict. */
const trust = 0;
const keepVerdict = -3;

/**
 * Trusts exactly these certificates, on loopback hosts only. For the demo's and the tests' own
 * provider servers; the product itself calls it with an empty list.
 *
 * @param sha256Fingerprints over the DER form, hexadecimal, with or without colons
 */
export function trustLoopbackCertificates(session: Pick<Session, "setCertificateVerifyProc">, sha256Fingerprints: readonly string[]): void {
  const trusted = new Set(sha256Fingerprints.map(plainHex));
  if (trusted.size === 0) return;
  session.setCertificateVerifyProc((request, callback) => {
    const isTrusted = isLoopbackHost(request.hostname) && trusted.has(fingerprintOf(request.certificate.data));
    callback(isTrusted ? trust : keepVerdict);
  });
}

function fingerprintOf(pem: string): string {
  try {
    return plainHex(new X509Certificate(pem).fingerprint256);
  } catch {
    return "";
  }
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
