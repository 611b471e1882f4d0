/**
 * A dealer's desk in a story: the composed broker on a profile of its own, and a DMS program at its pipe. Invariant: the
 * program sees what any program sees; nothing here looks into the broker.
 */
import { expect } from "vitest";
import type { BrokerClient, BrokerFailure } from "../../clients/node/dms-connect-client.ts";
import { answerConsent } from "../../e2e/providers/consent-client.ts";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import type { TokenGetResult } from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import type { ConnectionStateKind, RegistrationInput } from "../../shared/views.ts";
import type { ConnectionKey } from "../core/connection-state.ts";
import type { ProviderDefinition } from "../core/provider-definition.ts";
import { type ComposedBroker, newProfile, openBroker, openSession, pairProgram, valueOf } from "../testing/composed-broker.ts";

/** Nothing that is awaited in a story takes as long on any machine that is still of use. */
export const patience = { timeout: 30_000, interval: 25 } as const;

export interface Desk {
  readonly app: () => ComposedBroker;
  /** The program's session; a new one after `reopen`. */
  readonly program: () => BrokerClient;
  /** Quits the app; `open` starts it again on the same profile. */
  readonly quit: () => Promise<void>;
  readonly open: () => Promise<void>;
}

/** A desk with one registered provider and one paired program; nobody is connected. */
export async function openDesk(definition: ProviderDefinition, registration: RegistrationInput): Promise<Desk> {
  const profile = newProfile();
  let app = await openBroker(profile, definition);
  valueOf(await app.broker.registrations.save([registration]));
  const credentials = await pairProgram(profile, app.broker);
  let program = await openSession(profile, credentials);
  return {
    app: () => app,
    program: () => program,
    quit: async () => {
      program.close();
      await app.close();
    },
    open: async () => {
      app = await openBroker(profile, definition);
      program = await openSession(profile, credentials);
    },
  };
}

/** Signs a user in without a browser, where the sign-in itself is not what the story is about. */
export async function connectQuietly(desk: Desk, key: ConnectionKey, organisation?: string): Promise<void> {
  const { broker, openedUrls } = desk.app();
  valueOf(await broker.connectFlow.start(key, organisation));
  const url = openedUrls.at(-1) ?? "";
  await requestLoopback(await answerConsent(url, { decision: "approve", userId: key.user }));
  await expectState(desk, key, "Active");
}

export async function stateOf(desk: Desk, key: ConnectionKey): Promise<ConnectionStateKind> {
  return valueOf(await desk.program().connectionGet(key)).state;
}

/** Waits until programs see the connection in this state. */
export async function expectState(desk: Desk, key: ConnectionKey, state: ConnectionStateKind): Promise<void> {
  await expect.poll(() => stateOf(desk, key), patience).toBe(state);
}

/** The access token that there is, however little of its life is left. */
export async function currentToken(desk: Desk, key: ConnectionKey): Promise<TokenGetResult> {
  return valueOf(await desk.program().tokenGet({ ...key, minValiditySeconds: 0 }));
}

/** Says that the API refused the current token, which makes the broker renew it. */
export async function rejectToken(desk: Desk, key: ConnectionKey): Promise<Result<TokenGetResult, BrokerFailure>> {
  const { tokenId } = await currentToken(desk, key);
  return desk.program().tokenRejected({ ...key, tokenId });
}

/** What the API made of a call. */
export interface ApiAnswer {
  readonly status: number;
  /** Whom the API took the caller for, if it let them in. */
  readonly user: string | undefined;
}

export type CallApi = (headers: TokenGetResult["headers"]) => Promise<ApiAnswer>;

/** A call as docs/pipe-protocol.md wants programs to make it: a token, the call, and once more with another token after a 401. */
export async function useApi(desk: Desk, key: ConnectionKey, callApi: CallApi): Promise<ApiAnswer | BrokerFailure> {
  const token = await desk.program().tokenGet({ ...key, minValiditySeconds: 0 });
  if (!token.ok) return token.error;
  const answer = await callApi(token.value.headers);
  if (answer.status !== 401) return answer;
  const another = await desk.program().tokenRejected({ ...key, tokenId: token.value.tokenId });
  return another.ok ? callApi(another.value.headers) : another.error;
}
