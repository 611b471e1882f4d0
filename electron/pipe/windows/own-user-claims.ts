/** What can be shown with one account, under Wine too. For tests only. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { systemPipeNameSources, windowsPipeName } from "../../../clients/node/default-pipe-name.ts";
import { pipeName } from "../pipe-name.ts";
import { startPipeServer } from "../pipe-server.ts";
import { type FakeBroker, FakeRegistry, fakeProgramApi, recordingLog } from "../testing/fake-broker.ts";
import { RawClient } from "../testing/raw-client.ts";
import { hasAccessList, openForAccess, privateAccessList } from "../windows-access-list.ts";
import type { WindowsCalls } from "../windows-calls.ts";
import { ownSid } from "../windows-user.ts";
import { type Claim, expectThat, freshPipeName, NotShown, openingError, pipeRights, plainPipe, turnsOfTheLoop } from "./showing.ts";

const run = promisify(execFile);
const childMs = 20_000;

/** More than the ends Node keeps ready, so that each has been replaced. */
const manyConnections = 12;

/** @param broker has just been started, and nobody has connected to it */
export function ownUserClaims(calls: WindowsCalls, broker: FakeBroker): readonly Claim[] {
  return [
    { claim: "setting the access list leaves no session behind", show: () => noSessionLeft(broker) },
    { claim: "the pipe's name holds the hash of the user's SID, and the session", show: () => nameIsTheUsers(calls) },
    { claim: "the access list is in place, and for ends created later too", show: () => listIsKept(calls, broker) },
    { claim: "the user's own programs are served", show: () => ownProgramsAreServed(broker) },
    { claim: "a second server on the name is refused, and the first goes on", show: () => secondServerIsRefused(broker) },
    { claim: "a name that another process has taken is noticed", show: squatterIsNoticed },
    { claim: "without koffi, which sets the access list, nobody is served", show: withoutListNobodyIsServed },
  ];
}

async function noSessionLeft({ registry, server }: FakeBroker): Promise<string> {
  await turnsOfTheLoop();
  expectThat(registry.closedSessions.length === 0, `${registry.closedSessions.length} sessions on ${server.name}`);
  return "no session was opened or closed";
}

/** With the programs of Windows that clients use where they cannot ask themselves. */
async function nameIsTheUsers(calls: WindowsCalls): Promise<string> {
  const name = await pipeName({ ...systemPipeNameSources(), env: {} });
  const asBroker = await pipeName();
  if (!name.ok || !asBroker.ok) throw new Error("there is no name");
  const sessionId = /-(\d+)$/.exec(asBroker.value)?.[1] ?? "";
  expectThat(asBroker.value === windowsPipeName({ identity: ownSid(calls), sessionId }), `${asBroker.value} is not made from the SID`);
  const user = await systemPipeNameSources().windowsUser();
  if (!user.identity.startsWith("S-1-")) throw new NotShown(`${asBroker.value}, but there is no whoami to compare it with`);
  expectThat(name.value === asBroker.value, `a program would look for ${name.value}, and the broker is ${asBroker.value}`);
  return `${asBroker.value}, as programs find it by whoami and tasklist`;
}

async function listIsKept(calls: WindowsCalls, { pipe }: FakeBroker): Promise<string> {
  const wanted = privateAccessList(ownSid(calls));
  const look = (): void => {
    const handle = openForAccess(calls, pipe);
    const isKept = hasAccessList(calls, handle, wanted);
    calls.closeHandle(handle);
    expectThat(isKept, "it is another one");
  };
  look();
  for (let count = 0; count < manyConnections; count += 1) (await RawClient.connect(pipe)).socket.destroy();
  await turnsOfTheLoop();
  look();
  return wanted;
}

async function ownProgramsAreServed({ pipe }: FakeBroker): Promise<string> {
  for (let count = 0; count < manyConnections; count += 1) {
    const program = await RawClient.connect(pipe);
    expectThat("result" in (await program.authenticate()), "a program could not prove its key");
    program.socket.destroy();
  }
  return `${manyConnections} sessions, one after another`;
}

/** What starting a server gave; a server that did start is closed again. */
async function outcomeOfServing(name: string): Promise<string> {
  const started = await startPipeServer({
    name,
    programApi: fakeProgramApi(),
    registry: new FakeRegistry(),
    log: recordingLog(),
    version: "1.2.3",
    nowMs: Date.now,
  });
  if (!started.ok) return started.error.code;
  await started.value.close();
  return "listening";
}

async function secondServerIsRefused(broker: FakeBroker): Promise<string> {
  const outcome = await outcomeOfServing(broker.pipe);
  expectThat(outcome === "pipe_in_use", outcome);
  await ownProgramsAreServed(broker);
  return outcome;
}

async function squatterIsNoticed(): Promise<string> {
  const name = freshPipeName("squatter");
  const script = "require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))";
  const squatter = run(process.execPath, ["-e", script, name], { timeout: childMs });
  squatter.catch(() => undefined);
  try {
    await new Promise((resolve) => squatter.child.stdout?.once("data", resolve));
    const outcome = await outcomeOfServing(name);
    expectThat(outcome === "pipe_in_use", outcome);
    return outcome;
  } finally {
    squatter.child.kill();
  }
}

async function withoutListNobodyIsServed(): Promise<string> {
  const name = freshPipeName("unprotected");
  const { stdout } = await run(process.execPath, [`${import.meta.dirname}/serve-without-koffi.ts`, name], { timeout: childMs });
  expectThat(stdout === "pipe_not_private", stdout);
  return stdout;
}

/** How a computer treats a path over the network to itself, when no other name and password are given. */
export function ownUncClaim(calls: WindowsCalls, { pipe }: FakeBroker): Claim {
  return {
    claim: "the user's own programs by a UNC path to this computer: refused, or let in as what they are",
    show: async () => {
      const plain = await plainPipe();
      try {
        const unc = (name: string): string => name.replace("\\\\.\\", "\\\\localhost\\");
        const control = openingError(calls, unc(plain.name), pipeRights.read);
        if (control !== 0) throw new NotShown(`a pipe open to everyone cannot be reached by a UNC path either (error ${control})`);
        const error = openingError(calls, unc(pipe), pipeRights.read);
        expectThat(error === 0 || error === 5, `opening it gave ${error}`);
        return error === 5 ? "refused" : "let in: Windows has passed on the program's own token, in which there is no NETWORK";
      } finally {
        plain.close();
      }
    },
  };
}
