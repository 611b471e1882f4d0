/**
 * What a paired program may ask of the broker. The pipe adapter authenticates and parses; everything
 * behind this interface decides. Implemented by `program-service.ts`.
 */

import type {
  BrokerStatusResult,
  ConnectionListResult,
  ConnectionSelector,
  ConnectStartParams,
  ConnectStartResult,
  PairingRequestParams,
  PairingRequestResult,
  PairingWaitResult,
  PipeConnection,
  TokenGetParams,
  TokenGetResult,
  TokenRejectedParams,
} from "../../shared/pipe-protocol.ts";
import type { Result } from "../../shared/result.ts";
import type { DmsClientRecord } from "./ports.ts";

export interface ProgramApi {
  /** A token that lasts at least `minValiditySeconds` (default 60), from memory if fresh enough, else after one shared refresh. */
  readonly tokenGet: (client: DmsClientRecord, params: TokenGetParams) => Promise<Result<TokenGetResult>>;
  readonly tokenRejected: (client: DmsClientRecord, params: TokenRejectedParams) => Promise<Result<TokenGetResult>>;
  /** Only connections the program's access policy covers. */
  readonly connectionList: (client: DmsClientRecord) => Promise<Result<ConnectionListResult>>;
  readonly connectionGet: (client: DmsClientRecord, selector: ConnectionSelector) => Promise<Result<PipeConnection>>;
  readonly connectStart: (client: DmsClientRecord, params: ConnectStartParams) => Promise<Result<ConnectStartResult>>;
  readonly connectCancel: (client: DmsClientRecord, selector: ConnectionSelector) => Promise<Result<undefined>>;
  readonly connectionRevoke: (client: DmsClientRecord, selector: ConnectionSelector) => Promise<Result<undefined>>;
  readonly connectionForget: (client: DmsClientRecord, selector: ConnectionSelector) => Promise<Result<undefined>>;
  readonly brokerStatus: (client: DmsClientRecord) => Promise<Result<BrokerStatusResult>>;
  /** Calls `listener` for each change of a connection the program's access covers. Returns a function that stops it. */
  readonly onConnectionChanged: (client: DmsClientRecord, listener: (connection: PipeConnection) => void) => () => void;
}

/** Pairing, and looking up who a session claims to be. */
export interface ProgramRegistry {
  /** Shows the prompt; answers at once with the code to display. `pairing_busy` while this `sessionId` or too many others wait. */
  readonly requestPairing: (sessionId: string, params: PairingRequestParams) => Result<PairingRequestResult>;
  /** Waits for the person. Settles with `pairing_denied`, `pairing_expired`, or the key, which is handed out once. */
  readonly waitForPairing: (sessionId: string, pairingId: string) => Promise<Result<PairingWaitResult>>;
  /** The session's connection closed: its prompts go away. */
  readonly sessionClosed: (sessionId: string) => void;
  readonly findClient: (clientId: string) => Promise<DmsClientRecord | undefined>;
  /** Calls `listener` with the client id when a program is removed or its access changes: its sessions must end. */
  readonly onClientRemoved: (listener: (clientId: string) => void) => () => void;
}
