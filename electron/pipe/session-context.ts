/** What a session is given: what all sessions of one pipe server share, and who is at its other end. */
import type { Log } from "../core/ports.ts";
import type { ProgramApi, ProgramRegistry } from "../core/program-api.ts";
import type { Handshake } from "./handshake.ts";
import type { PipeLimits } from "./pipe-limits.ts";

export interface SessionContext {
  readonly programApi: ProgramApi;
  readonly registry: ProgramRegistry;
  readonly handshake: Handshake;
  readonly log: Log;
  /** Version of the app, for `session.authenticate`. */
  readonly version: string;
  readonly nowMs: () => number;
  readonly limits: PipeLimits;
  /** How many authenticated sessions a program has. */
  readonly sessionCount: (clientId: string) => number;
  /** The file of the process that connected, where the system tells it. For a person to see; it proves nothing. */
  readonly programPath: () => string | undefined;
}
