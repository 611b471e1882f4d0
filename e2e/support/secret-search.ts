/** Looks for secrets where none may be. Invariant: what it reports says where and which kind, never the secret. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface NamedSecret {
  /** For example `Mazda client secret`. */
  readonly name: string;
  readonly value: string;
}

/** Where each secret was found: in the bytes of the files below `folder`, as UTF-8 or UTF-16, plain, base64 or percent-encoded. */
export function findInFolder(folder: string, secrets: readonly NamedSecret[]): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return findInBytes(relative(folder, path), readFileSync(path), secrets);
  });
}

/** Where each secret was found in a text, e.g. a page or a log. */
export function findInText(place: string, text: string, secrets: readonly NamedSecret[]): readonly string[] {
  return findInBytes(place, Buffer.from(text, "utf8"), secrets);
}

function findInBytes(place: string, bytes: Buffer, secrets: readonly NamedSecret[]): readonly string[] {
  return secrets
    .filter(({ value }) => spellings(value).some((spelling) => bytes.includes(spelling)))
    .map(({ name }) => `${name} in ${place}`);
}

function spellings(value: string): readonly Buffer[] {
  const plain = Buffer.from(value, "utf8");
  const encoded = plain.toString("base64").replace(/=+$/, "");
  return [
    plain,
    Buffer.from(value, "utf16le"),
    // The last group may differ when more follows.
    Buffer.from(encoded.slice(0, -4)),
    Buffer.from(encodeURIComponent(value)),
    Buffer.from(new URLSearchParams({ value }).toString().slice("value=".length)),
    Buffer.from(JSON.stringify(value).slice(1, -1)),
  ];
}
