/**
 * Client library for DMS programs written in Node: finds the broker, proves who is who, and turns
 * each method of docs/pipe-protocol.md into a function. Needs nothing but Node.
 *
 * Invariant: no request but pairing is sent before the broker has proved that it holds this program's key.
 */
import {
  type BrokerStatusResult,
  type ConnectionSelector,
  type ConnectStartParams,
  type PairingRequestParams,
  pipeProtocolVersion,
  type TokenGetParams,
  type TokenGetResult,
  type TokenRejectedParams,
} from "../../shared/pipe-protocol.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { type BrokerFailure, brokerNotGenuine } from "./broker-failure.ts";
import { findPipe } from "./find-pipe.ts";
import { type Answer, type Channel, openChannel, type Parser } from "./json-rpc-channel.ts";
import {
  type BrokerConnection,
  type BrokerConnectionEvent,
  type BrokerSnapshot,
  parseAuthenticate,
  parseConnection,
  parseConnectionList,
  parseConnectStart,
  parseCredentials,
  parseEvent,
  parseHello,
  parseNothing,
  parsePairingRequest,
  parseSnapshot,
  parseStatus,
  parseToken,
} from "./parse-answers.ts";
import { type Credentials, isBrokerProof, newNonce, programProof } from "./session-proof.ts";

export type { BrokerFailure } from "./broker-failure.ts";
export type { BrokerConnection, BrokerConnectionEvent, BrokerSnapshot } from "./parse-answers.ts";
export type { Credentials } from "./session-proof.ts";

export interface ConnectOptions {
  /** Pipe or socket to use; found by itself if absent. */
  readonly pipe?: string;
  /** From an earlier `pair`. Without them only `pair` works. */
  readonly credentials?: Credentials;
  /** How long to wait for each answer; default 60 s, since a token may need a refresh at the provider first. */
  readonly timeoutMs?: number;
}

export interface PairOptions extends PairingRequestParams {
  /** Show this six-digit code: the person compares it with the one in DMS Connect's window. */
  readonly onCode: (code: string, expiresInSeconds: number) => void;
}

/** A connection to the broker. No call rejects for an expected failure: that comes as a `Result`. */
export interface BrokerClient {
  /** Asks the person to approve this program; then the session is ready. Store the credentials where only this user can read them. */
  readonly pair: (options: PairOptions) => Answer<Credentials>;
  readonly tokenGet: (params: TokenGetParams) => Answer<TokenGetResult>;
  /** Report a 401 of the provider's API (not a 403); answers with another token. */
  readonly tokenRejected: (params: TokenRejectedParams) => Answer<TokenGetResult>;
  readonly connectionList: () => Answer<readonly BrokerConnection[]>;
  readonly connectionGet: (selector: ConnectionSelector) => Answer<BrokerConnection>;
  /** Opens the provider's sign-in page in the user's browser; `subscribe` tells how it ends. */
  readonly connectStart: (params: ConnectStartParams) => Answer<BrokerConnection>;
  readonly connectCancel: (selector: ConnectionSelector) => Answer<undefined>;
  /** Ends the grant at the provider. */
  readonly revoke: (selector: ConnectionSelector) => Answer<undefined>;
  /** Deletes the tokens here only. */
  readonly forget: (selector: ConnectionSelector) => Answer<undefined>;
  /** Gives all connections now, then calls `listener` for each change. */
  readonly subscribe: (listener: (event: BrokerConnectionEvent) => void) => Answer<BrokerSnapshot>;
  readonly brokerStatus: () => Answer<BrokerStatusResult>;
  readonly close: () => void;
  /** Settles when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

const defaultTimeoutMs = 60_000;

/**
 * Connects to the broker; with credentials, proves them and checks the broker's own proof.
 *
 * @returns a client, or `broker_unreachable`, `broker_not_genuine` (detail words), or what the broker refused with
 */
export async function connectToBroker(options: ConnectOptions = {}): Answer<BrokerClient> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const { name } = await findPipe(options.pipe);
  const opened = await openChannel(name, timeoutMs);
  if (!opened.ok) return opened;
  const channel = opened.value;
  if (options.credentials !== undefined) {
    const proved = await authenticate(channel, options.credentials, timeoutMs);
    if (!proved.ok) {
      channel.close();
      return proved;
    }
  }
  return ok(clientOver(channel, timeoutMs));
}

/** Both proofs of docs/pipe-protocol.md. The broker's is checked before ours is sent. */
async function authenticate(channel: Channel, credentials: Credentials, timeoutMs: number): Answer<undefined> {
  const { clientId } = credentials;
  const clientNonce = newNonce();
  const hello = { protocol: pipeProtocolVersion, clientId, nonce: clientNonce };
  const greeted = await channel.call("session.hello", hello, parseHello, timeoutMs);
  if (!greeted.ok) return greeted;
  const nonces = { clientNonce, serverNonce: greeted.value.nonce };
  if (!isBrokerProof(greeted.value.proof, credentials, nonces)) return err(brokerNotGenuine());
  const proof = programProof(credentials, nonces);
  const admitted = await channel.call("session.authenticate", { proof }, parseAuthenticate, timeoutMs);
  return admitted.ok ? ok() : admitted;
}

async function pair(channel: Channel, { onCode, ...params }: PairOptions, timeoutMs: number): Answer<Credentials> {
  const requested = await channel.call("pairing.request", params, parsePairingRequest, timeoutMs);
  if (!requested.ok) return requested;
  const { pairingId, code, expiresInSeconds } = requested.value;
  onCode(code, expiresInSeconds);
  const waitMs = expiresInSeconds * 1000 + timeoutMs;
  const approved = await channel.call("pairing.wait", { pairingId }, parseCredentials, waitMs);
  if (!approved.ok) return approved;
  const proved = await authenticate(channel, approved.value, timeoutMs);
  return proved.ok ? approved : proved;
}

function clientOver(channel: Channel, timeoutMs: number): BrokerClient {
  const call = <T>(method: string, params: object, parse: Parser<T>): Promise<Result<T, BrokerFailure>> =>
    channel.call(method, params, parse, timeoutMs);
  return {
    pair: (options) => pair(channel, options, timeoutMs),
    tokenGet: (params) => call("token.get", params, parseToken),
    tokenRejected: (params) => call("token.rejected", params, parseToken),
    connectionList: () => call("connection.list", {}, parseConnectionList),
    connectionGet: (selector) => call("connection.get", selector, parseConnection),
    connectStart: (params) => call("connect.start", params, parseConnectStart),
    connectCancel: (selector) => call("connect.cancel", selector, parseNothing),
    revoke: (selector) => call("connection.revoke", selector, parseNothing),
    forget: (selector) => call("connection.forget", selector, parseNothing),
    subscribe: (listener) => {
      channel.onNotification((method, params) => {
        const event = method === "event" ? parseEvent(params) : undefined;
        // In a later turn: an event in the same packet as the snapshot must not reach the program before it.
        if (event !== undefined) setImmediate(listener, event);
      });
      return call("events.subscribe", {}, parseSnapshot);
    },
    brokerStatus: () => call("broker.status", {}, parseStatus),
    close: channel.close,
    closed: channel.closed,
  };
}
