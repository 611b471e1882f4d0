/**
 * Where the broker listens. `DMS_CONNECT_PIPE` overrides; otherwise the name of this user and session.
 *
 * Invariant: a name this module returns can be listened on as far as its form goes.
 */
import path from "node:path";
import { defaultPipeName, type PipeNameSources, systemPipeNameSources } from "../../clients/node/default-pipe-name.ts";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { readWindowsUserNatively } from "./windows-user.ts";

/** Longest `sun_path` that fits with its terminating zero: 108 bytes on Linux, 104 on macOS and the BSDs (unix(7), unix(4)). */
const maxSocketPathBytes = { linux: 107, others: 103 } as const;

/**
 * The name to listen on.
 *
 * @returns the name, or `pipe_failed` saying what is wrong with it
 */
export async function pipeName(sources: PipeNameSources = brokerPipeNameSources()): Promise<Result<string>> {
  const chosen = sources.env["DMS_CONNECT_PIPE"];
  const name = chosen === undefined || chosen === "" ? await defaultPipeName(sources) : chosen;
  const problem = sources.platform === "win32" ? windowsProblem(name) : socketProblem(name, sources.platform);
  return problem === undefined ? ok(name) : err(failure("pipe_failed", { problem }));
}

/** As the programs' own, but that Windows is asked directly where it can be: two programs need not be started for it. */
function brokerPipeNameSources(): PipeNameSources {
  const system = systemPipeNameSources();
  return { ...system, windowsUser: async () => (await readWindowsUserNatively()) ?? system.windowsUser() };
}

function windowsProblem(name: string): string | undefined {
  if (!/^\\\\[.?]\\pipe\\[^\\]{1,240}$/i.test(name))
    return "a pipe name on Windows begins with \\\\.\\pipe\\ and has at most 256 characters";
  return undefined;
}

function socketProblem(name: string, platform: NodeJS.Platform): string | undefined {
  if (!path.isAbsolute(name)) return "the socket path must be absolute";
  const limit = platform === "linux" ? maxSocketPathBytes.linux : maxSocketPathBytes.others;
  const length = Buffer.byteLength(name, "utf8");
  if (length > limit) return `the socket path has ${length} bytes, and the system allows ${limit}; set DMS_CONNECT_PIPE to a shorter one`;
  return undefined;
}
