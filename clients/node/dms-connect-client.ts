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
import { type BrokerFailure, brokerNotGenuine, greetingRefused, localFailure, notPaired } from "./broker-failure.ts";
import { findPipe } from "./find-pipe.ts";
import { type ChangeListener, followEvents, type SnapshotListener } from "./follow-events.ts";
import { type Answer, type Channel, openChannel, type Parser } from "./json-rpc-channel.ts";
import {
  type BrokerConnection,
  type BrokerSnapshot,
  parseAuthenticate,
  parseConnection,
  parseConnectionList,
  parseConnectStart,
  parseCredentials,
  parseHello,
  parseNothing,
  parsePairingRequest,
  parseShuttingDown,
  parseSnapshot,
  parseStatus,
  parseToken,
} from "./parse-answers.ts";
import { type Credentials, isBrokerProof, isClientKey, newNonce, programProof } from "./session-proof.ts";

export type { BrokerFailure } from "./broker-failure.ts";
export type { BrokerConnection, BrokerConnectionEvent, BrokerSnapshot } from "./parse-answers.ts";
export type { Credentials } from "./session-proof.ts";

export interface ConnectOptions {
  /** Pipe or socket to use; found by itself if absent. */
  readonly pipe?: string;
  /** From an earlier `pair`. Without them only `pair` works. */
  readonly credentials?: Credentials;
  /** How long to wait for each answer; default 75 s, since a token may need a refresh at the provider first. */
  readonly timeoutMs?: number;
}

export interface PairOptions extends PairingRequestParams {
  /** Show this six-digit code: the person compares it with the one in DMS Connect's window. */
  readonly onCode: (code: string, expiresInSeconds: number) => void;
}

/** A connection to the broker. No call rejects for an expected failure: that comes as a `Result`. */
export interface BrokerClient {
  /** As `pairWithBroker`; then this session is ready. */
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
  /** Gives all connections now, then tells `onChange` each change; `onSnapshot` gets all of them anew where one was missed. */
  readonly subscribe: (onChange: ChangeListener, onSnapshot?: SnapshotListener) => Answer<BrokerSnapshot>;
  /** After `subscribe`: calls `listener` when the app ends or restarts, with the time after which to come back. Returns a function that stops it. */
  readonly onShuttingDown: (listener: (why: BrokerFailure) => void) => () => void;
  readonly brokerStatus: () => Answer<BrokerStatusResult>;
  readonly close: () => void;
  /** Settles when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

/** The document asks for at least 60 seconds of patience. */
const defaultTimeoutMs = 75_000;
/** Two round trips on one computer; the broker itself gives up after 5 seconds. */
const handshakeTimeoutMs = 10_000;
const longestPairingMs = 3_600_000;

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

/**
 * Asks the person to approve this program. Store the credentials at once, where only this user can read them: they are
 * handed out only once.
 *
 * @param pipe found by itself if absent
 */
export async function pairWithBroker({
  pipe,
  timeoutMs,
  ...options
}: PairOptions & Omit<ConnectOptions, "credentials">): Answer<Credentials> {
  const { name } = await findPipe(pipe);
  const patienceMs = timeoutMs ?? defaultTimeoutMs;
  const opened = await openChannel(name, patienceMs);
  if (!opened.ok) return opened;
  const paired = await pair(opened.value, options, patienceMs);
  opened.value.close();
  return paired;
}

/** Both proofs of docs/pipe-protocol.md. The broker's is checked before ours is sent. */
async function authenticate(channel: Channel, credentials: Credentials, timeoutMs: number): Answer<undefined> {
  const { clientId, clientKey } = credentials;
  if (!isClientKey(clientKey)) return err(notPaired("The stored key is damaged."));
  const clientNonce = newNonce();
  const hello = { protocol: pipeProtocolVersion, clientId, nonce: clientNonce };
  const patienceMs = Math.min(timeoutMs, handshakeTimeoutMs);
  const greeted = await channel.call("session.hello", hello, parseHello, patienceMs);
  if (!greeted.ok) return greeted.error.noAnswer === undefined ? err(greetingRefused(greeted.error)) : greeted;
  if (greeted.value === undefined) return err(brokerNotGenuine());
  const nonces = { clientNonce, serverNonce: greeted.value.nonce };
  if (!isBrokerProof(greeted.value.proof, credentials, nonces)) return err(brokerNotGenuine());
  const proof = programProof(credentials, nonces);
  const admitted = await channel.call("session.authenticate", { proof }, parseAuthenticate, patienceMs);
  return admitted.ok ? ok() : admitted;
}

async function pair(channel: Channel, { onCode, ...params }: PairOptions, timeoutMs: number): Answer<Credentials> {
  const requested = await channel.call("pairing.request", params, parsePairingRequest, timeoutMs);
  if (!requested.ok) return requested;
  const { pairingId, code, expiresInSeconds } = requested.value;
  onCode(code, expiresInSeconds);
  // Bounded: a stranger may say any number, and a timer takes no more than 24 days.
  const waitMs = Math.min(expiresInSeconds * 1000, longestPairingMs) + handshakeTimeoutMs;
  const approved = await channel.call("pairing.wait", { pairingId }, parseCredentials, waitMs);
  return approved.ok && !isClientKey(approved.value.clientKey) ? err(localFailure("internal_error")) : approved;
}

/** Pairs and goes on in the same session. The credentials are handed out even if that fails: the broker will not do so again. */
async function pairAndProve(channel: Channel, options: PairOptions, timeoutMs: number): Answer<Credentials> {
  const paired = await pair(channel, options, timeoutMs);
  if (!paired.ok) return paired;
  const proved = await authenticate(channel, paired.value, timeoutMs);
  if (!proved.ok) channel.close();
  return paired;
}

function clientOver(channel: Channel, timeoutMs: number): BrokerClient {
  const call = <T>(method: string, params: object, parse: Parser<T>): Promise<Result<T, BrokerFailure>> =>
    channel.call(method, params, parse, timeoutMs);
  return {
    pair: (options) => pairAndProve(channel, options, timeoutMs),
    tokenGet: (params) => call("token.get", params, parseToken),
    tokenRejected: (params) => call("token.rejected", params, parseToken),
    connectionList: () => call("connection.list", {}, parseConnectionList),
    connectionGet: (selector) => call("connection.get", selector, parseConnection),
    connectStart: (params) => call("connect.start", params, parseConnectStart),
    connectCancel: (selector) => call("connect.cancel", selector, parseNothing),
    revoke: (selector) => call("connection.revoke", selector, parseNothing),
    forget: (selector) => call("connection.forget", selector, parseNothing),
    subscribe: (onChange, onSnapshot) => followEvents(channel, () => call("events.subscribe", {}, parseSnapshot), onChange, onSnapshot),
    onShuttingDown: (listener) =>
      channel.onNotification((method, params) => {
        const why = method === "event" ? parseShuttingDown(params) : undefined;
        if (why !== undefined) listener(why);
      }),
    brokerStatus: () => call("broker.status", {}, parseStatus),
    close: channel.close,
    closed: channel.closed,
  };
}
