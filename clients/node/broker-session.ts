/**
 * The broker for a whole program: one session for all requests, opened with the first and again whenever it has ended.
 *
 * Invariant: the broker gets a request twice only if that does no harm, or if it surely never got the first one.
 */
import { setTimeout } from "node:timers/promises";
import { type BrokerClient, type ConnectOptions, type Credentials, connectToBroker } from "./dms-connect-client.ts";
import type { Answer } from "./json-rpc-channel.ts";
import { type ConnectionSubscriber, keepSubscribed } from "./keep-subscribed.ts";
import { SessionKeeper } from "./session-keeper.ts";
import { type Request, requestOver } from "./session-request.ts";

export type { ConnectionSubscriber } from "./keep-subscribed.ts";

export interface SessionOptions extends ConnectOptions {
  /** From an earlier `pairWithBroker`. */
  readonly credentials: Credentials;
}

/** The calls of `BrokerClient`, none of which rejects for an expected failure. */
export interface BrokerSession extends Omit<BrokerClient, "pair" | "subscribe" | "onShuttingDown" | "closed"> {
  /** Tells all connections, and each change, until the returned function is called. */
  readonly subscribe: (subscriber: ConnectionSubscriber) => () => void;
  /** Ends the session, and every call that waits, for good. A program that does not call it does not end by itself. */
  readonly close: () => void;
}

/** Gives the broker at once, and connects with the first call. Share one among all parts of the program. */
export function createBrokerSession(options: SessionOptions): BrokerSession {
  const keeper = new SessionKeeper({
    connect: () => connectToBroker(options),
    // Unlike the time of day it never jumps.
    nowMs: () => performance.now(),
    wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
    random: Math.random,
  });
  const read = <T>(request: Request<T>): Answer<T> => requestOver(keeper, request, true);
  const act = <T>(request: Request<T>): Answer<T> => requestOver(keeper, request, false);
  return {
    tokenGet: (params) => read((client) => client.tokenGet(params)),
    tokenRejected: (params) => act((client) => client.tokenRejected(params)),
    connectionList: () => read((client) => client.connectionList()),
    connectionGet: (selector) => read((client) => client.connectionGet(selector)),
    connectStart: (params) => act((client) => client.connectStart(params)),
    connectCancel: (selector) => act((client) => client.connectCancel(selector)),
    revoke: (selector) => act((client) => client.revoke(selector)),
    forget: (selector) => act((client) => client.forget(selector)),
    brokerStatus: () => read((client) => client.brokerStatus()),
    subscribe: (subscriber) => keepSubscribed(keeper, subscriber),
    close: () => keeper.close(),
  };
}
