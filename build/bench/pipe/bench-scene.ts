/** Everything the rows of the bench need, started once. Invariant: nothing of it outlives `close`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepOnCore } from "./cores.ts";
import { type OidcAgent, startOidcAgent } from "./oidc-agent.ts";
import { type Baseline, type BenchedBroker, startBroker, startEcho } from "./processes.ts";
import { openSession, type PairedProgram, tokenLine } from "./program.ts";
import { startTokenEndpoint, type TokenEndpoint } from "./token-endpoint.ts";

/** The user whose token is cached all the time, and the one whose token is refreshed. */
export const cachedUser = "mmd10030.johndoe";
export const refreshedUser = "mmd10030.janeroe";

/** 64 sessions a program: enough for a thousand clients, with some to spare. */
const programs = 17;

export interface BenchScene {
  /** The bench's own, removed in the end. */
  readonly folder: string;
  readonly broker: BenchedBroker;
  /** The first of the broker's programs. */
  readonly program: PairedProgram;
  readonly echo: Baseline;
  /** The same bytes without JSON. */
  readonly bareEcho: Baseline;
  readonly oidcAgent: OidcAgent | undefined;
  readonly tokenEndpoint: TokenEndpoint;
  /** Bytes of the broker's answer to `token.get`. */
  readonly answerBytes: number;
  /** Whether servers and clients have a core each. */
  readonly hasOwnCores: boolean;
  readonly close: () => Promise<void>;
}

export async function openScene(): Promise<BenchScene> {
  const folder = mkdtempSync(join(tmpdir(), "dms-bench-"));
  const closings: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const closing of closings.splice(0).toReversed()) await closing();
  };
  try {
    const hasOwnCores = keepOnCore("clients", process.pid);
    const tokenEndpoint = await startTokenEndpoint();
    closings.push(tokenEndpoint.close);
    const broker = await startBroker({
      profileFolder: folder,
      pipe: socketPath(folder, "broker"),
      tokenEndpoint: tokenEndpoint.url,
      programs,
      users: [cachedUser, refreshedUser],
    });
    closings.push(broker.close);
    const [program] = broker.programs;
    const [credentials] = broker.credentials;
    if (program === undefined || credentials === undefined) throw new Error("no program was paired");
    const answer = await firstAnswer(broker, program);
    const echo = await startEcho({ path: socketPath(folder, "echo"), answer, json: true, program: credentials });
    closings.push(echo.close);
    const bareEcho = await startEcho({ path: socketPath(folder, "bare"), answer, json: false, program: credentials });
    closings.push(bareEcho.close);
    const oidcAgent = await startOidcAgent(folder);
    if (oidcAgent !== undefined) closings.push(oidcAgent.close);
    return { folder, broker, program, echo, bareEcho, oidcAgent, tokenEndpoint, answerBytes: answer.length + 1, hasOwnCores, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function firstAnswer(broker: BenchedBroker, program: PairedProgram): Promise<string> {
  const client = await openSession(broker.pipe, program);
  const answer = String(await client.ask(tokenLine(1, cachedUser)));
  client.close();
  return answer;
}

function socketPath(folder: string, name: string): string {
  // The broker wants a folder of its own user's alone, which mkdtemp makes.
  return process.platform === "win32" ? `\\\\.\\pipe\\dms-bench-${process.pid}-${name}` : join(folder, `${name}.sock`);
}
