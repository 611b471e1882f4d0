/** Turns what the broker sends into the types of the protocol; each function throws `UnexpectedAnswer` for anything else. */
import type {
  BrokerStatusResult,
  ConnectionListResult,
  ConnectStartResult,
  EventParams,
  EventsSubscribeResult,
  PairingRequestResult,
  PipeConnection,
  PipeProvider,
  SessionAuthenticateResult,
  SessionHelloResult,
  TokenGetResult,
} from "../../shared/pipe-protocol.ts";
import type { ConnectionStateKind, Environment } from "../../shared/views.ts";
import { type BrokerFailure, brokerClosing, parseFailure } from "./broker-failure.ts";
import {
  asArray,
  asRecord,
  booleanField,
  isRecord,
  markField,
  numberField,
  optionalField,
  textField,
  UnexpectedAnswer,
  type UnknownRecord,
  wordField,
} from "./parse-fields.ts";
import type { Credentials } from "./session-proof.ts";

/** A connection as the broker reports it; `problem` may hold words newer than this library. */
export type BrokerConnection = Omit<PipeConnection, "problem"> & { readonly problem?: BrokerFailure };
export type BrokerConnectionEvent = Omit<Extract<EventParams, { readonly type: "connection.changed" }>, "connection"> & {
  readonly connection: BrokerConnection;
};
export type BrokerSnapshot = Omit<EventsSubscribeResult, "connections"> & { readonly connections: readonly BrokerConnection[] };

const environmentWords: readonly Environment[] = ["acceptance", "production"];
const stateWords: readonly ConnectionStateKind[] = [
  "NotConnected",
  "Connecting",
  "Active",
  "Refreshing",
  "Retrying",
  "InDoubt",
  "ReconnectRequired",
  "Revoking",
  "Forgotten",
];

export function parsePairingRequest(value: unknown): PairingRequestResult {
  const record = asRecord(value, "result");
  const code = textField(record, "code");
  // Shown to a person before anybody has proved anything.
  if (!/^\d{6}$/.test(code)) throw new UnexpectedAnswer("code is not six digits");
  return {
    pairingId: textField(record, "pairingId"),
    code,
    expiresInSeconds: numberField(record, "expiresInSeconds"),
  };
}

export function parseCredentials(value: unknown): Credentials {
  const record = asRecord(value, "credentials");
  return { clientId: textField(record, "clientId"), clientKey: textField(record, "clientKey") };
}

/** Undefined when nonce or proof is missing: whoever answers so has proved nothing. */
export function parseHello(value: unknown): SessionHelloResult | undefined {
  if (!isRecord(value)) return undefined;
  const { nonce, proof } = value;
  return typeof nonce === "string" && typeof proof === "string" ? { nonce, proof } : undefined;
}

export function parseAuthenticate(value: unknown): SessionAuthenticateResult {
  const record = asRecord(value, "result");
  return { name: textField(record, "name"), version: textField(record, "version") };
}

export function parseToken(value: unknown): TokenGetResult {
  const record = asRecord(value, "result");
  return {
    accessToken: textField(record, "accessToken"),
    tokenType: wordField(record, "tokenType", ["Bearer"]),
    tokenId: textField(record, "tokenId"),
    expiresAt: numberField(record, "expiresAt"),
    expiresInSeconds: numberField(record, "expiresInSeconds"),
    headers: parseHeaders(record["headers"]),
  };
}

export function parseConnection(value: unknown): BrokerConnection {
  const record = asRecord(value, "connection");
  return {
    id: textField(record, "id"),
    provider: textField(record, "provider"),
    environment: wordField(record, "environment", environmentWords),
    user: textField(record, "user"),
    state: parseState(textField(record, "state")),
    grantExpiryIsEstimate: booleanField(record, "grantExpiryIsEstimate"),
    ...optionalField(record, "organisation", textField),
    ...optionalField(record, "accessTokenExpiresAt", numberField),
    ...markField(record, "accessTokenExpiryIsEstimate"),
    ...markField(record, "isNotRenewable"),
    ...optionalField(record, "grantExpiresAt", numberField),
    ...optionalField(record, "problem", parseProblem),
  };
}

export function parseConnectionList(value: unknown): readonly BrokerConnection[] {
  const connections = asRecord(value, "result")["connections" satisfies keyof ConnectionListResult];
  return asArray(connections, "connections").map(parseConnection);
}

export function parseConnectStart(value: unknown): BrokerConnection {
  return parseConnection(asRecord(value, "result")["connection" satisfies keyof ConnectStartResult]);
}

export function parseSnapshot(value: unknown): BrokerSnapshot {
  return { sequence: numberField(asRecord(value, "result"), "sequence"), connections: parseConnectionList(value) };
}

/** Why and for how long the broker goes away, if an event says that it does. */
export function parseShuttingDown(value: unknown): BrokerFailure | undefined {
  const record = asRecord(value, "params");
  return record["type"] === "shutting_down" ? brokerClosing(numberField(record, "retryAfterSeconds")) : undefined;
}

/** An event about a connection; undefined for any other type of event. */
export function parseEvent(value: unknown): BrokerConnectionEvent | undefined {
  const record = asRecord(value, "params");
  const type = "connection.changed";
  if (record["type"] !== type) return undefined;
  return { sequence: numberField(record, "sequence"), type, connection: parseConnection(record["connection"]) };
}

export function parseStatus(value: unknown): BrokerStatusResult {
  const record = asRecord(value, "result");
  return {
    version: textField(record, "version"),
    protocol: numberField(record, "protocol"),
    vault: wordField(record, "vault", ["open", "locked"]),
    providers: asArray(record["providers"], "providers").map(parseProvider),
  };
}

/** A broker older than these fields leaves out state and addresses: it says nothing against `available`, and empty texts stand for the others. */
function parseProvider(entry: unknown): PipeProvider {
  const provider = asRecord(entry, "provider");
  return {
    provider: textField(provider, "provider"),
    environment: wordField(provider, "environment", environmentWords),
    state: provider["state"] === "paused" ? "paused" : "available",
    authorizationEndpoint: "",
    tokenEndpoint: "",
    ...optionalField(provider, "nextTryAt", numberField),
    ...optionalField(provider, "authorizationEndpoint", textField),
    ...optionalField(provider, "tokenEndpoint", textField),
    ...optionalField(provider, "revocationEndpoint", textField),
  };
}

/** For methods whose answer says no more than that it was done. */
export function parseNothing(value: unknown): undefined {
  asRecord(value, "result");
}

/** A state of a newer broker counts as Retrying: asking for a token shows what can be done (docs, "Compatibility"). */
function parseState(word: string): ConnectionStateKind {
  return stateWords.find((known) => known === word) ?? "Retrying";
}

function parseProblem(record: UnknownRecord, name: string): BrokerFailure {
  return parseFailure({ data: record[name] });
}

function parseHeaders(value: unknown): Readonly<Record<string, string>> {
  const headers = Object.entries(asRecord(value, "headers")).map(([name, header]): readonly [string, string] => {
    if (typeof header !== "string") throw new UnexpectedAnswer("a header is not a string");
    return [name, header];
  });
  return Object.fromEntries(headers);
}
