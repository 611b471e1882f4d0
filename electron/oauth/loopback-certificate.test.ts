import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { certificateSha256, createCertificateStore, makeLoopbackCertificate, needsRenewal } from "./loopback-certificate.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 22, 12);

describe("the callback certificate", () => {
  it("is a P-256 leaf for loopback names only, which can sign nothing", async () => {
    const { certificatePem, privateKeyPem } = await makeLoopbackCertificate(nowMs);
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.subjectAltName).toBe("IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost");
    expect(certificate.subject).toMatch(/^CN=DMS Connect callback on [A-Za-z0-9-]+$/);
    expect(certificate.subject.length).toBeLessThanOrEqual("CN=".length + 64);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.ca).toBe(false);
    // Extended key usage: serverAuth alone.
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBe(397 * dayMs);
    expect(privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it("is another one each time", async () => {
    const [one, two] = await Promise.all([makeLoopbackCertificate(nowMs), makeLoopbackCertificate(nowMs)]);
    expect(certificateSha256(one.certificatePem)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(certificateSha256(one.certificatePem)).not.toBe(certificateSha256(two.certificatePem));
    expect(new X509Certificate(one.certificatePem).serialNumber).not.toBe(new X509Certificate(two.certificatePem).serialNumber);
  });

  it("is renewed 30 days before its end, when it is not valid yet, and when it cannot be read", async () => {
    const { certificatePem } = await makeLoopbackCertificate(nowMs);
    const endMs = new X509Certificate(certificatePem).validToDate.getTime();
    expect(needsRenewal(certificatePem, nowMs)).toBe(false);
    expect(needsRenewal(certificatePem, endMs - 30 * dayMs)).toBe(false);
    expect(needsRenewal(certificatePem, endMs - 30 * dayMs + 1)).toBe(true);
    expect(needsRenewal(certificatePem, nowMs - 2 * dayMs)).toBe(true);
    expect(needsRenewal("damaged", nowMs)).toBe(true);
  });
});

/** A vault's two functions over a map. */
function secrets(initial?: string) {
  const stored = new Map<string, string>(initial === undefined ? [] : [["callback-certificate", initial]]);
  let saves = 0;
  return {
    stored,
    saves: () => saves,
    readSecret: (name: string): Promise<Result<string | undefined>> => Promise.resolve(ok(stored.get(name))),
    saveSecret: (name: string, value: string): Promise<Result<undefined>> => {
      saves += 1;
      stored.set(name, value);
      return Promise.resolve(ok());
    },
  };
}

describe("the certificate store", () => {
  it("makes one certificate for calls at the same time, and gives it again later", async () => {
    const vault = secrets();
    const store = createCertificateStore({ ...vault, nowMs: () => nowMs });
    const [one, two] = await Promise.all([store.get(), store.get()]);
    expect(one).toEqual(two);
    expect(vault.saves()).toBe(1);
    expect(await createCertificateStore({ ...vault, nowMs: () => nowMs }).get()).toEqual(one);
    expect(vault.saves()).toBe(1);
  });

  it("makes a new one near the end of the old one", async () => {
    const vault = secrets();
    let clockMs = nowMs;
    const store = createCertificateStore({ ...vault, nowMs: () => clockMs });
    const old = await store.get();
    clockMs += 370 * dayMs;
    const renewed = await store.get();
    expect(renewed.ok).toBe(true);
    expect(renewed).not.toEqual(old);
    expect(vault.saves()).toBe(2);
  });

  it("makes a new one when the stored one is damaged or has another one's key", async () => {
    const [one, two] = await Promise.all([makeLoopbackCertificate(nowMs), makeLoopbackCertificate(nowMs)]);
    const mixed = { certificatePem: one.certificatePem, privateKeyPem: two.privateKeyPem };
    for (const damaged of ["", "{", "[]", `{"certificatePem":"x","privateKeyPem":"y"}`, JSON.stringify(mixed)]) {
      const vault = secrets(damaged);
      const made = await createCertificateStore({ ...vault, nowMs: () => nowMs }).get();
      expect(made.ok).toBe(true);
      expect(vault.stored.get("callback-certificate")).toBe(JSON.stringify(made.ok ? made.value : undefined));
    }
  });

  it("hands out nothing that could not be saved, and fails as the vault does", async () => {
    const locked = err(failure("vault_locked"));
    const full = err(failure("vault_write_failed", { problem: "disk full" }));
    const unreadable = { ...secrets(), readSecret: () => Promise.resolve(locked) };
    const unwritable = { ...secrets(), saveSecret: () => Promise.resolve(full) };
    expect(await createCertificateStore({ ...unreadable, nowMs: () => nowMs }).get()).toEqual(locked);
    expect(await createCertificateStore({ ...unwritable, nowMs: () => nowMs }).get()).toEqual(full);
  });
});
