/**
 * The window's only way to the main process. No other file touches `window.dmsConnect`, so no other
 * file has to think about a preload that is missing or a call that breaks.
 */
import { failure } from "../shared/failure.ts";
import type { CallName, CallParams, CallValue, DmsConnectApi, EventName, EventPayload } from "../shared/ipc-contract.ts";
import { err, type Result } from "../shared/result.ts";

declare global {
  interface Window {
    readonly dmsConnect: DmsConnectApi;
  }
}

/**
 * Calls the main process. Never rejects: a call that breaks (a bug, not an expected failure) comes
 * back as `internal_error`, so that a person always sees a sentence and never a dead button.
 */
export async function invoke<N extends CallName>(
  name: N,
  ...params: CallParams<N> extends void ? [] : [CallParams<N>]
): Promise<Result<CallValue<N>>> {
  try {
    return await window.dmsConnect.invoke(name, ...params);
  } catch {
    return err(failure("internal_error"));
  }
}

/** Listens to an event of the main process. Returns a function that stops listening. */
export function on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
  return window.dmsConnect.on(name, listener);
}
