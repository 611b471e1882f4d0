/**
 * How expected failures travel. A function that can fail in a way its caller must handle returns a
 * `Result`; it throws only for bugs.
 */
import type { Failure } from "./failure.ts";

export type Result<T, E = Failure> = Ok<T> | Err<E>;
export type Ok<T> = { readonly ok: true; readonly value: T };
export type Err<E = Failure> = { readonly ok: false; readonly error: E };

/** Wraps a success. */
export function ok(): Ok<undefined>;
export function ok<T>(value: T): Ok<T>;
export function ok<T>(value?: T): Ok<T | undefined> {
  return { ok: true, value };
}

/** Wraps an expected failure. */
export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}

/** Ends a switch over a union: a case that was forgotten fails to compile. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
