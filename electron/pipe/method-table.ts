/**
 * The methods an authenticated program may call: a schema and a call behind each name.
 *
 * Invariant: nothing behind the pipe sees parameters that have not been parsed.
 */
import type { ZodType } from "zod";
import type { Result } from "../../shared/result.ts";
import type { DmsClientRecord } from "../core/ports.ts";
import type { ProgramApi } from "../core/program-api.ts";
import { connectionSelector, connectStartParams, noParams, parseParams, tokenGetParams, tokenRejectedParams } from "./messages.ts";

export type ProgramMethod = (api: ProgramApi, client: DmsClientRecord, params: unknown) => Promise<Result<unknown>>;

/** By name. A map, so that names such as `constructor` are simply unknown. */
export const programMethods: ReadonlyMap<string, ProgramMethod> = new Map([
  ["token.get", method(tokenGetParams, (api, client, params) => api.tokenGet(client, params))],
  ["token.rejected", method(tokenRejectedParams, (api, client, params) => api.tokenRejected(client, params))],
  ["connection.list", method(noParams, (api, client) => api.connectionList(client))],
  ["connection.get", method(connectionSelector, (api, client, params) => api.connectionGet(client, params))],
  ["connect.start", method(connectStartParams, (api, client, params) => api.connectStart(client, params))],
  ["connect.cancel", method(connectionSelector, (api, client, params) => api.connectCancel(client, params))],
  ["connection.revoke", method(connectionSelector, (api, client, params) => api.connectionRevoke(client, params))],
  ["connection.forget", method(connectionSelector, (api, client, params) => api.connectionForget(client, params))],
  ["broker.status", method(noParams, (api, client) => api.brokerStatus(client))],
]);

/** Answered by the session itself, since its events belong to the connection. */
export const subscribeMethod = "events.subscribe";

/** Whether an answer may have more than 64 KiB: it holds every connection. */
export function hasLongAnswer(method: string): boolean {
  return method === subscribeMethod || method === "connection.list";
}

function method<P>(
  schema: ZodType<P>,
  call: (api: ProgramApi, client: DmsClientRecord, params: P) => Promise<Result<unknown>>,
): ProgramMethod {
  return (api, client, params) => {
    const parsed = parseParams(schema, params);
    return parsed.ok ? call(api, client, parsed.value) : Promise.resolve(parsed);
  };
}
