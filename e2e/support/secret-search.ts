/**
 * Looks for secrets where none may be, in every spelling that a program gives to bytes by habit.
 *
 * Invariants: what is reported says where and which kind, never the secret; a file that is there and cannot be read ends the
 * search with an error, so that no file counts as clean that was not looked into.
 */
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface NamedSecret {
  /** For example `Mazda client secret`. */
  readonly name: string;
  /** Text, or the bytes of a key. */
  readonly value: string | Uint8Array;
}

export interface FolderSearch {
  /** Every file that was searched, relative to the folder, with `/`, sorted. */
  readonly files: readonly string[];
  /** `NAME in PLACE` for each secret in each file, and in each name of a file or folder. */
  readonly found: readonly string[];
}

/**
 * Searches all files below `folder`, whatever they are called, and their names.
 *
 * @param except files that hold a secret by design, as they would appear in `files`
 * @throws when a file cannot be read or a secret is too short to be told from chance
 */
export function searchFolder(folder: string, secrets: readonly NamedSecret[], except: readonly string[] = []): FolderSearch {
  const spelled = secrets.map(spell);
  const places = placesBelow(folder);
  const inNames = places.flatMap((place) => findInBytes(`the name ${place}`, Buffer.from(place), spelled));
  const searched = places
    .filter((place) => !except.includes(place))
    .flatMap((place) => {
      const bytes = readFile(join(folder, place));
      return bytes === undefined ? [] : [{ place, found: findInBytes(place, bytes, spelled) }];
    });
  return { files: searched.map(({ place }) => place).toSorted(), found: [...inNames, ...searched.flatMap(({ found }) => found)] };
}

/** Where each secret was found in the files below `folder`; see `searchFolder`. */
export function findInFolder(folder: string, secrets: readonly NamedSecret[], except: readonly string[] = []): readonly string[] {
  return searchFolder(folder, secrets, except).found;
}

/** Where each secret was found in a text, e.g. a page or a log. */
export function findInText(place: string, text: string, secrets: readonly NamedSecret[]): readonly string[] {
  return findInBytes(place, Buffer.from(text, "utf8"), secrets.map(spell));
}

/** A private key in the forms in which it may lie about: its PEM text, its DER bytes and, of an EC key, the bare number. */
export function privateKeySecrets(name: string, pem: string): readonly NamedSecret[] {
  const key = createPrivateKey(pem);
  const { d } = key.export({ format: "jwk" });
  return [
    { name: `${name} (PEM)`, value: pem },
    { name: `${name} (PEM)`, value: pem.replaceAll(/\r?\n/g, "\r\n") },
    { name: `${name} (DER)`, value: key.export({ format: "der", type: "pkcs8" }) },
    ...(d === undefined ? [] : [{ name: `${name} (number)`, value: Buffer.from(d, "base64url") }]),
  ];
}

/** Everything below `folder`, folders too, relative to it. Throws when there is no such folder. */
function placesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inside = entry.isDirectory() ? unlessGone(() => placesBelow(join(folder, entry.name))) : [];
    return [entry.name, ...(inside ?? []).map((place) => `${entry.name}/${place}`)];
  });
}

/** Undefined for sockets and folders, which have no content; a link counts as what it points to. */
function readFile(path: string): Buffer | undefined {
  return unlessGone(() => (statSync(path).isFile() ? readFileSync(path) : undefined));
}

/** A running app deletes files between one look and the next. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

interface SpelledSecret {
  readonly name: string;
  readonly spellings: readonly Buffer[];
}

function findInBytes(place: string, bytes: Buffer, secrets: readonly SpelledSecret[]): readonly string[] {
  const found = secrets.filter(({ spellings }) => spellings.some((spelling) => bytes.includes(spelling)));
  return [...new Set(found.map(({ name }) => `${name} in ${place}`))];
}

/** Shorter ones would be found by chance. */
const leastBytes = 6;

function spell({ name, value }: NamedSecret): SpelledSecret {
  const plain = typeof value === "string" ? textSpellings(value).flatMap(bothWidths) : [Buffer.from(value)];
  if (value.length < leastBytes) throw new Error(`${name} is too short to be searched for`);
  const armoured = plain.flatMap((bytes) => [...base64Spellings(bytes), ...hexSpellings(bytes)]).flatMap(bothWidths);
  const distinct = new Map([...plain, ...armoured].map((bytes) => [bytes.toString("latin1"), bytes]));
  return { name, spellings: [...distinct.values()] };
}

/** As it is, and as URLs, forms and JSON spell it. */
function textSpellings(text: string): readonly string[] {
  const percentEncoded = encodeURIComponent(text);
  const everyByte = Array.from(Buffer.from(text, "utf8"), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const json = JSON.stringify(text).slice(1, -1);
  const asciiJson = json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [
    text,
    percentEncoded,
    percentEncoded.replaceAll(/%../g, (code) => code.toLowerCase()),
    // Leaves out what `encodeURIComponent` lets through (RFC 3986 section 2.2).
    percentEncoded.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`),
    everyByte,
    everyByte.toUpperCase(),
    new URLSearchParams({ text }).toString().slice("text=".length),
    json,
    asciiJson,
    json.replaceAll("/", "\\/"),
  ];
}

function bothWidths(text: string): readonly Buffer[] {
  return [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")];
}

/**
 * Base64 and base64url of the bytes at each of the three places within a longer encoded text, such as HTTP Basic's
 * `id:secret`: only the digits that no neighbour has a part in.
 */
function base64Spellings(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const firstWhole = Math.ceil((before * 8) / 6);
    const wholeDigits = Math.floor(((before + bytes.length) * 8) / 6);
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64url")
      .slice(firstWhole, wholeDigits);
    return [encoded, encoded.replaceAll("-", "+").replaceAll("_", "/")];
  });
}

function hexSpellings(bytes: Buffer): readonly string[] {
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase()];
}
