/** A connection for each token with C programs on the client's side, ours and oidc-agent's own, where they can be built. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { err, ok, type Result } from "../../../shared/result.ts";
import { type BenchScene, cachedUser } from "./bench-scene.ts";
import { type Distribution, distribution } from "./request-rows.ts";

const run = promisify(execFile);
const clientFolder = join(import.meta.dirname, "../../../clients/c");
const rounds = 100;
const portion = 25;
const mostOutputBytes = 64 * 1024 * 1024;

export interface CConnections {
  readonly dmsConnect: Distribution;
  /** Its own library, which encrypts. Undefined where it is not installed. */
  readonly oidcAgent: Distribution | undefined;
  /** The same request as plain JSON. */
  readonly oidcAgentPlain: Distribution | undefined;
}

/** @returns the times, or why there are none, for a person */
export async function benchCClients(scene: BenchScene): Promise<Result<CConnections, string>> {
  const program = await build(scene.folder);
  if (!program.ok) return program;
  const { broker, oidcAgent } = scene;
  const credentials = join(scene.folder, "c-client.json");
  writeFileSync(credentials, JSON.stringify(broker.credentials[0]), { mode: 0o600 });
  const ask = async (account: readonly string[]): Promise<Result<CConnections, string>> => {
    const args = [broker.pipe, credentials, "bench", cachedUser, "10030/MMD", String(rounds), String(portion), ...account];
    const env = { ...process.env, ...oidcAgent?.environment };
    try {
      const { stdout } = await run(program.value, args, { env, maxBuffer: mostOutputBytes });
      return ok(connections(stdout));
    } catch (error) {
      return err(`the C clients failed: ${messageOf(error)}`);
    }
  };
  const both = oidcAgent === undefined ? undefined : await ask([oidcAgent.account]);
  // Without its library (Debian: liboidc-agent4) there is still ours.
  return both?.ok === true ? both : ask([]);
}

/** Compiles the C clients into `folder`. */
async function build(folder: string): Promise<Result<string, string>> {
  if (process.platform === "win32") return err("there are no C clients for Windows in this bench");
  const program = join(folder, "connect-clients");
  const sources = [join(import.meta.dirname, "connect-clients.c"), join(clientFolder, "dms_connect.c")];
  try {
    await run(process.env["CC"] ?? "cc", ["-O2", `-I${clientFolder}`, "-o", program, ...sources, "-ldl"]);
    return ok(program);
  } catch (error) {
    return err(`no C compiler that builds them: ${messageOf(error)}`);
  }
}

/** From lines of a name and milliseconds. */
function connections(printed: string): CConnections {
  const times = new Map<string, number[]>();
  for (const line of printed.trim().split("\n")) {
    const [name = "", ms] = line.split(" ");
    const known = times.get(name) ?? [];
    times.set(name, known);
    known.push(Number(ms));
  }
  const of = (name: keyof CConnections): Distribution | undefined => {
    const measured = times.get(name);
    return measured === undefined ? undefined : distribution(measured);
  };
  return {
    dmsConnect: of("dmsConnect") ?? distribution([]),
    oidcAgent: of("oidcAgent"),
    oidcAgentPlain: of("oidcAgentPlain"),
  };
}

/** Its first line: a compiler has much to say. */
function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
