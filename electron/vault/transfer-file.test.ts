import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { grantAt, mazdaKey as john } from "../core/testing/records.ts";
import { codeOf, valueOf } from "../core/testing/world.ts";
import type { TransferContents } from "../core/transfer-contents.ts";
import { createTransferSeal } from "./transfer-file.ts";

const passphrase = "five random words of mine";
const nowMs = Date.UTC(2026, 10, 22);
const { seal, open, checkPassphrase } = createTransferSeal();

const contents: TransferContents = {
  exportedAtMs: nowMs,
  registrations: [
    {
      registration: {
        provider: "mazda",
        environment: "production",
        clientId: "api-key",
        hasClientSecret: true,
        redirectUris: ["https://127.0.0.1:8443/callback"],
        organisations: ["10030/MMD"],
        pkce: false,
        endpoints: { tokenEndpoint: "https://127.0.0.1:9443/token" },
      },
      clientSecret: "s3cret:+%ä word",
    },
  ],
  connections: [
    { key: john, organisation: "10030/MMD", connectedAtMs: nowMs, signIn: { kind: "Active", grant: grantAt(nowMs, "token-john") } },
    {
      key: { ...john, user: "mmd10030.janedoe" },
      connectedAtMs: nowMs,
      signIn: { kind: "InDoubt", grant: grantAt(nowMs, "token-jane"), attempt: { attemptId: "a", startedAtMs: nowMs } },
    },
    { key: { ...john, user: "no sign-in" }, connectedAtMs: nowMs },
  ],
};
const sealed = seal(contents, passphrase).then(valueOf);

interface FileFields {
  readonly format: string;
  readonly version: number;
  readonly kdf: { readonly salt: string; readonly N: number };
  readonly sealed: string;
}

/** The fields that the first test finds in a file. */
function fieldsOf(text: string): FileFields {
  // Another form would fail that test.
  return JSON.parse(text) as FileFields;
}

/** The file with some of its fields changed; the checksum then fits again, as a forger would see to. */
async function forged(change: (file: FileFields) => Partial<FileFields>): Promise<string> {
  const original = fieldsOf(await sealed);
  const file = { ...original, ...change(original) };
  const header = JSON.stringify({ format: file.format, version: file.version, kdf: file.kdf });
  const sha256 = createHash("sha256").update(`${header}\n${file.sealed}`).digest("hex");
  return JSON.stringify({ ...file, sha256 });
}

/** The same bytes but for one bit. */
function flipped(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  return bytes.toString("base64");
}

describe("the file of an export", () => {
  it("opens with its passphrase to what was sealed", async () => {
    expect(await open(await sealed, passphrase)).toEqual({ ok: true, value: contents });
  });

  it("shows nothing of its contents", async () => {
    const text = await sealed;
    expect(Object.keys(fieldsOf(text))).toEqual(["format", "version", "kdf", "sha256", "sealed"]);
    for (const secret of ["s3cret", "access-token", "refresh-token", "mazda", "johndoe", "10030"]) expect(text).not.toContain(secret);
    expect(Buffer.from(fieldsOf(text).sealed, "base64").toString("latin1")).not.toContain("mazda");
  });

  it("is another one each time", async () => {
    const again = fieldsOf(valueOf(await seal(contents, passphrase)));
    const first = fieldsOf(await sealed);
    expect([again.kdf.salt === first.kdf.salt, again.sealed === first.sealed]).toEqual([false, false]);
  });

  it("takes known fields only", async () => {
    const [registration] = contents.registrations;
    const noted = { ...contents, registrations: [{ ...registration, note: "stray" }] };
    // A field too many is a bug of the caller, and must not travel.
    await expect(seal(noted as TransferContents, passphrase)).rejects.toThrow("note");
  });
});

describe("opening an export", () => {
  it("says that a passphrase is wrong", async () => {
    expect(codeOf(await open(await sealed, "another passphrase"))).toBe("vault_passphrase_wrong");
  });

  it.each([
    ["text", "not an export"],
    ["nothing", ""],
    ["a list", "[]"],
    ["a registration file", '{"version":1,"registrations":[]}'],
    ["a bare header", '{"format":"dms-connect-transfer","version":1}'],
    ["a version that is none", '{"format":"dms-connect-transfer","version":0}'],
  ])("does not take %s for one", async (_what, text) => {
    expect(codeOf(await open(text, passphrase))).toBe("vault_transfer_unreadable");
  });

  it("says that a newer version made it, whatever else is in it", async () => {
    expect(codeOf(await open('{"format":"dms-connect-transfer","version":2,"body":"?"}', passphrase))).toBe("vault_transfer_newer");
  });

  it("tells a damaged file from a wrong passphrase", async () => {
    const file = fieldsOf(await sealed);
    const damaged = JSON.stringify({ ...file, sealed: flipped(file.sealed) });
    expect(codeOf(await open(damaged, passphrase))).toBe("vault_transfer_unreadable");
    expect(codeOf(await open((await sealed).slice(0, -10), passphrase))).toBe("vault_transfer_unreadable");
  });

  it("does not open a body that was changed with care", async () => {
    const text = await forged((file) => ({ sealed: flipped(file.sealed) }));
    expect(codeOf(await open(text, passphrase))).toBe("vault_passphrase_wrong");
  });

  it("does not open a body under another header", async () => {
    const { sealed: body } = fieldsOf(valueOf(await seal(contents, passphrase)));
    expect(codeOf(await open(await forged(() => ({ sealed: body })), passphrase))).toBe("vault_passphrase_wrong");
  });

  it("refuses parameters that would cost too much, or protect too little", async () => {
    for (const N of [2 ** 30, 2]) {
      const text = await forged(({ kdf }) => ({ kdf: { ...kdf, N } }));
      expect(codeOf(await open(text, passphrase))).toBe("vault_transfer_unreadable");
    }
  });
});

describe("the passphrase of an export", () => {
  it("must not be weak", async () => {
    expect(checkPassphrase(passphrase)).toBeUndefined();
    expect(checkPassphrase("short")).toMatchObject({ code: "vault_passphrase_weak" });
    expect(await seal(contents, "short")).toMatchObject({ ok: false, error: { code: "vault_passphrase_weak" } });
  });

  it("is in no failure", async () => {
    const wrong = await open(await sealed, "another passphrase");
    expect(wrong).toEqual({ ok: false, error: failure("vault_passphrase_wrong") });
  });
});
