/**
 * Reads fields of received objects. A field of the wrong type throws `UnexpectedAnswer`, which the
 * channel turns into a failure; fields nobody asks for are ignored, as the protocol demands.
 */

export type UnknownRecord = Readonly<Record<string, unknown>>;

/** The broker sent something this library cannot read. Names the field, never its value. */
export class UnexpectedAnswer extends Error {}

/** Whether `value` is an object with named fields. */
export function isRecord(value: unknown): value is UnknownRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asRecord(value: unknown, what: string): UnknownRecord {
  if (!isRecord(value)) throw new UnexpectedAnswer(`${what} is not an object`);
  return value;
}

export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnexpectedAnswer(`${what} is not an array`);
  return value;
}

export function textField(record: UnknownRecord, name: string): string {
  const value = record[name];
  if (typeof value !== "string") throw new UnexpectedAnswer(`${name} is not a string`);
  return value;
}

export function numberField(record: UnknownRecord, name: string): number {
  const value = record[name];
  if (typeof value !== "number") throw new UnexpectedAnswer(`${name} is not a number`);
  return value;
}

export function booleanField(record: UnknownRecord, name: string): boolean {
  const value = record[name];
  if (typeof value !== "boolean") throw new UnexpectedAnswer(`${name} is not true or false`);
  return value;
}

/** One of a fixed set of words. */
export function wordField<W extends string>(record: UnknownRecord, name: string, words: readonly W[]): W {
  const value = textField(record, name);
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new UnexpectedAnswer(`${name} is not a known word`);
  return word;
}

/** A mark is true, or not there; whatever else stands there marks nothing. */
export function markField<N extends string>(record: UnknownRecord, name: N): { readonly [K in N]?: true } {
  // As in `optionalField`.
  return record[name] === true ? ({ [name]: true } as { readonly [K in N]: true }) : {};
}

/** `{ [name]: … }` if the field is there, `{}` if not: for spreading into an object with optional fields. */
export function optionalField<N extends string, V>(
  record: UnknownRecord,
  name: N,
  read: (record: UnknownRecord, name: string) => V,
): { readonly [K in N]?: V } {
  if (record[name] === undefined) return {};
  // TypeScript widens a computed key to string; the key is exactly `name`.
  return { [name]: read(record, name) } as { readonly [K in N]: V };
}
