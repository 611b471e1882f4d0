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
  /**
   * Asked once for each request, before it is looked at. Fails with `not_paired` when the program's access has ended,
   * `program_rate_limited` when it has used up its minute.
   */
  readonly admit: (client: DmsClientRecord) => Result<undefined>;
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
  /**
   * Shows the prompt; answers at once with the code to display. `programPath` is the file of the asking process, where the
   * system tells it. Fails with `pairing_busy` while this session, this program or too many others wait, `pairing_paused`
   * after a prompt that was not approved, `pairing_blocked`, or `pairing_forbidden`.
   */
  readonly requestPairing: (sessionId: string, params: PairingRequestParams, programPath?: string) => Result<PairingRequestResult>;
  /** Waits for the person. Settles with `pairing_denied`, `pairing_expired`, or the key, which is handed out once. */
  readonly waitForPairing: (sessionId: string, pairingId: string) => Promise<Result<PairingWaitResult>>;
  /** The session's connection closed: its prompts go away. */
  readonly sessionClosed: (sessionId: string) => void;
  readonly findClient: (clientId: string) => Promise<DmsClientRecord | undefined>;
  /** A session has proved that it is `clientId` and was admitted, or was refused; then `clientId` may be unknown. */
  readonly sessionDecided: (clientId: string, outcome: "ok" | "not_paired" | "rate_limited") => void;
  /** Calls `listener` with the client id when a program is removed or its access changes or ends: its sessions must end. */
  readonly onClientRemoved: (listener: (clientId: string) => void) => () => void;
}
