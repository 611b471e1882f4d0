/** What every session of one pipe server shares. */
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
}
