/** Where the pipe is: what has to be in order before the server listens, and what keeps others out once it does. */
import { ok, type Result } from "../../shared/result.ts";
import { closeSocketToOthers, prepareSocketPlace } from "./socket-place.ts";
import { prepareWindowsPipe } from "./windows-pipe-place.ts";

export interface PipePlace {
  /**
   * Called right after listening. `ownConnection` settles when the server has seen its first connection: on Windows the
   * pipe has to be opened for this.
   *
   * @returns `pipe_not_private` if others might get in, `pipe_in_use` if another process answers on the name; then the server
   * must close
   */
  readonly closeToOthers: (ownConnection: Promise<unknown>) => Promise<Result<undefined>>;
}

/** @returns `pipe_in_use` if somebody listens there, `pipe_failed` or `pipe_not_private` if the place cannot be used */
export async function preparePipePlace(name: string): Promise<Result<PipePlace>> {
  if (process.platform === "win32") return prepareWindowsPipe(name);
  const prepared = await prepareSocketPlace(name);
  return prepared.ok ? ok({ closeToOthers: async () => closeSocketToOthers(name) }) : prepared;
}
