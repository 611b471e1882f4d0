import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { findInFolder, findInText, type NamedSecret, privateKeySecrets, searchFolder } from "./secret-search.ts";

/** Characters that each encoding spells in its own way. */
const secret = `p/ä+"\\ %'(*)~-_ö word`;
const named: NamedSecret = { name: "the secret", value: secret };
const key = randomBytes(32);
const namedKey: NamedSecret = { name: "the key", value: key };

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-search-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function plant(folder: string, file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), content);
}

const utf16 = (text: string) => Buffer.from(text, "utf16le");
const percentBytes = (text: string) => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

/** What another program makes of it, not with the code under test. */
const spellings: readonly (readonly [name: string, bytes: string | Uint8Array])[] = [
  ["UTF-8", secret],
  ["UTF-16", utf16(secret)],
  ["base64", Buffer.from(secret).toString("base64")],
  ["base64url", Buffer.from(secret).toString("base64url")],
  ["base64 of UTF-16", utf16(secret).toString("base64")],
  ["base64 written as UTF-16", utf16(Buffer.from(secret).toString("base64"))],
  ...["", "i", "id", "id:", "id:x"].map(
    (before) => [`base64 after ${before.length} bytes`, Buffer.from(`${before}${secret}, and more`).toString("base64")] as const,
  ),
  [
    "HTTP Basic with form-encoding",
    `Basic ${Buffer.from(`id:${new URLSearchParams({ s: secret }).toString().slice(2)}`).toString("base64")}`,
  ],
  ["hexadecimal", Buffer.from(secret).toString("hex")],
  ["upper-case hexadecimal", Buffer.from(secret).toString("hex").toUpperCase()],
  ["percent-encoding", encodeURIComponent(secret)],
  ["lower-case percent-encoding", encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase())],
  [
    "strict percent-encoding",
    encodeURIComponent(secret).replaceAll("'", "%27").replaceAll("(", "%28").replaceAll(")", "%29").replaceAll("*", "%2A"),
  ],
  ["percent-encoding of every byte", percentBytes(secret)],
  ["a form", new URLSearchParams({ client_secret: secret }).toString()],
  ["JSON", JSON.stringify({ secret })],
  ["JSON with ASCII only", JSON.stringify({ secret }).replaceAll("ä", "\\u00e4").replaceAll("ö", "\\u00f6")],
  ["JSON with escaped slashes", JSON.stringify({ secret }).replaceAll("/", "\\/")],
];

const keySpellings: readonly (readonly [name: string, bytes: string | Uint8Array])[] = [
  ["raw", key],
  ["base64", key.toString("base64")],
  ["base64url", key.toString("base64url")],
  ["hexadecimal", key.toString("hex")],
  ["base64 behind a label", Buffer.concat([Buffer.from("label:"), key, Buffer.from("!")]).toString("base64")],
];

const around = (bytes: string | Uint8Array) => Buffer.concat([randomBytes(501), Buffer.from(bytes), randomBytes(77)]);

/** Every kind of file that the app writes. */
const files = [
  "vault.sqlite",
  "vault.sqlite-wal",
  "vault.backup-3.sqlite",
  "vault.damaged-20261122-143005.sqlite",
  "vault-keys.json",
  "vault-keys.set-aside-20261122-143005.json",
  "dms-connect.log",
  "dms-connect.log.2",
  "settings.json",
  "broker.json",
  ".broker-1234.json",
  "Local State",
  "system-keys/local-state-20261122-1.json",
  "export.dms-connect",
  "temp/dms-connect-chromium-x/profile/Default/Local Storage/leveldb/000003.log",
];

describe("the search", () => {
  it.each(spellings)("finds a text as %s", (_name, bytes) => {
    const folder = temporaryFolder();
    plant(folder, "vault.sqlite", around(bytes));
    expect(findInFolder(folder, [named])).toEqual(["the secret in vault.sqlite"]);
  });

  it.each(keySpellings)("finds a key as %s", (_name, bytes) => {
    const folder = temporaryFolder();
    plant(folder, "vault.sqlite", around(bytes));
    expect(findInFolder(folder, [namedKey])).toEqual(["the key in vault.sqlite"]);
  });

  it.each(files)("looks into %s, for each spelling", (file) => {
    const folder = temporaryFolder();
    for (const [, bytes] of [...spellings, ...keySpellings]) {
      plant(folder, file, around(bytes));
      expect(findInFolder(folder, [named, namedKey])).toHaveLength(1);
    }
    plant(folder, file, around("nothing"));
    expect(searchFolder(folder, [named, namedKey])).toEqual({ files: [file], found: [] });
  });

  it("finds what SQLite has stored, as text and as a blob", () => {
    const folder = temporaryFolder();
    const database = new DatabaseSync(join(folder, "vault.sqlite"));
    database.exec("CREATE TABLE things (text TEXT, bytes BLOB)");
    database.prepare("INSERT INTO things VALUES (?, ?)").run(secret, key);
    database.close();
    expect(findInFolder(folder, [named, namedKey])).toEqual(["the secret in vault.sqlite", "the key in vault.sqlite"]);
  });

  it("finds a private key by its PEM text, its DER bytes and its number", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const secrets = privateKeySecrets("the private key", pem);
    const { d = "" } = privateKey.export({ format: "jwk" });
    const pieces = [
      pem,
      pem.replaceAll("\n", "\r\n"),
      JSON.stringify({ pem }),
      privateKey.export({ format: "der", type: "pkcs8" }),
      privateKey.export({ format: "der", type: "sec1" }),
      privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
      JSON.stringify({ d }),
    ];
    for (const piece of pieces) {
      const folder = temporaryFolder();
      plant(folder, "file", piece);
      expect(findInFolder(folder, secrets)).not.toEqual([]);
    }
    const other = temporaryFolder();
    plant(other, "certificate.pem", privateKey.export({ format: "jwk" }).x ?? "");
    expect(findInFolder(other, secrets)).toEqual([]);
  });

  it("finds a secret in the name of a file", () => {
    const folder = temporaryFolder();
    plant(folder, "token-0123456789.txt", "");
    expect(findInFolder(folder, [{ name: "the token", value: "0123456789" }])).toEqual(["the token in the name token-0123456789.txt"]);
  });

  it("leaves out only the files that hold a secret by design", () => {
    const folder = temporaryFolder();
    plant(folder, "registrations.json", secret);
    plant(folder, "profile/registrations.json", secret);
    expect(searchFolder(folder, [named], ["registrations.json"])).toEqual({
      files: ["profile/registrations.json"],
      found: ["the secret in profile/registrations.json"],
    });
  });

  it.skipIf(process.platform === "win32")("follows links, and passes by a socket", async () => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    plant(elsewhere, "file", secret);
    symlinkSync(join(elsewhere, "file"), join(folder, "link"));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
    onTestFinished(() => void server.close());
    expect(searchFolder(folder, [named])).toEqual({ files: ["link"], found: ["the secret in link"] });
  });

  it("ends with an error, not with a clean result, at a file it cannot read", ({ skip }) => {
    if (process.platform === "win32" || process.getuid?.() === 0) skip("not exercised: for this user every file is readable");
    const folder = temporaryFolder();
    plant(folder, "file", secret);
    chmodSync(join(folder, "file"), 0);
    expect(() => searchFolder(folder, [named])).toThrow("EACCES");
  });

  it("passes by what has gone meanwhile, but not a folder that never was", () => {
    const folder = temporaryFolder();
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    expect(searchFolder(folder, [named])).toEqual({ files: [], found: [] });
    expect(() => searchFolder(join(folder, "never was"), [named])).toThrow("ENOENT");
  });

  it("never says the secret, and says a thing once", () => {
    const found = findInText("the page", `${secret} ${secret} ${encodeURIComponent(secret)}`, [named, named]);
    expect(found).toEqual(["the secret in the page"]);
  });

  it("refuses a secret that is everywhere by chance", () => {
    expect(() => findInText("the page", "abc", [{ name: "the code", value: "abc" }])).toThrow("the code is too short");
  });

  it("finds nothing in random bytes", () => {
    const secrets = Array.from({ length: 20 }, (_, index) => ({ name: `secret ${index}`, value: randomBytes(32).toString("base64url") }));
    const folder = temporaryFolder();
    plant(folder, "noise", randomBytes(300_000));
    plant(folder, "noise.txt", randomBytes(300_000).toString("base64"));
    expect(findInFolder(folder, [...secrets, named, namedKey])).toEqual([]);
  });
});
