/** What takes a second account to show, and an administrator to make it. For tests only. */
import { hostname } from "node:os";
import { openNativeLibrary } from "../native-library.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { RawClient } from "../testing/raw-client.ts";
import { openForAccess, privateAccessList, setAccessList } from "../windows-access-list.ts";
import { invalidHandle, type WindowsCalls, windowsErrors } from "../windows-calls.ts";
import { ownSid } from "../windows-user.ts";
import { type Claim, expectRefused, expectThat, NotShown, openingError, pipeRights, plainPipe, turnsOfTheLoop } from "./showing.ts";
import type { OtherUser } from "./windows-accounts.ts";

export interface OtherUserScene {
  readonly calls: WindowsCalls;
  readonly broker: FakeBroker;
  /** Throws `NotShown` where there can be none. */
  readonly otherUser: () => OtherUser;
}

export function otherUserClaims(scene: OtherUserScene): readonly Claim[] {
  return [
    { claim: "another user cannot open the pipe, for anything", show: () => otherUserIsRefused(scene) },
    { claim: "another user cannot serve beside the broker", show: () => otherServerIsRefused(scene) },
    { claim: "a logon over the network is refused, even of the very user who is let in", show: () => networkIsRefused(scene) },
    { claim: "the very user is refused by a UNC path, with name and password", show: () => uncIsRefused(scene) },
  ];
}

async function otherUserIsRefused({ calls, broker, otherUser }: OtherUserScene): Promise<string> {
  const user = otherUser();
  const plain = await plainPipe();
  try {
    const control = user.act("interactive", () => openingError(calls, plain.name, pipeRights.read));
    expectThat(control === 0, `the control failed: another user could not open Node's own kind of pipe either (error ${control})`);
  } finally {
    plain.close();
  }
  user.act("interactive", () => expectRefused(calls, broker.pipe));
  // More than the ends Node keeps ready: the next ones were created after the list was set.
  for (let count = 0; count < 12; count += 1) (await RawClient.connect(broker.pipe)).socket.destroy();
  await turnsOfTheLoop();
  user.act("interactive", () => expectRefused(calls, broker.pipe));
  return "access denied to read, write, look at and change it; Node's own kind of pipe can be read";
}

async function otherServerIsRefused({ calls, broker, otherUser }: OtherUserScene): Promise<string> {
  const kernel32 = await openNativeLibrary("kernel32.dll");
  const number = "uint32";
  const createPipe = kernel32?.func("CreateNamedPipeW", "intptr_t", ["str16", number, number, number, number, number, number, "void *"]);
  const [duplex, unlimited, bytes] = [3, 255, 65_536];
  const error = otherUser().act("interactive", () => {
    const handle: unknown = createPipe?.(broker.pipe, duplex, 0, unlimited, bytes, bytes, 0, null);
    return handle === invalidHandle ? calls.getLastError() : 0;
  });
  expectThat(error === windowsErrors.accessDenied, `creating an end of its own gave ${error}`);
  return "access denied";
}

/** A pipe whose list is made as the broker's, for the other user. It must let this process in as well, or Node could not go on. */
async function pipeOf(calls: WindowsCalls, sid: string): ReturnType<typeof plainPipe> {
  const pipe = await plainPipe();
  const handle = openForAccess(calls, pipe.name);
  setAccessList(calls, handle, `${privateAccessList(sid)}(A;;FA;;;${ownSid(calls)})`);
  calls.closeHandle(handle);
  await turnsOfTheLoop();
  return pipe;
}

async function networkIsRefused({ calls, otherUser }: OtherUserScene): Promise<string> {
  const user = otherUser();
  const pipe = await pipeOf(calls, user.sid);
  try {
    const control = user.act("interactive", () => openingError(calls, pipe.name, pipeRights.read));
    expectThat(control === 0, `the control failed: the user is not let in at the computer either (error ${control})`);
    user.act("network", () => expectRefused(calls, pipe.name));
    return "let in when logged on at the computer, refused when logged on over the network";
  } finally {
    pipe.close();
  }
}

async function uncIsRefused({ calls, otherUser }: OtherUserScene): Promise<string> {
  const user = otherUser();
  const pipe = await pipeOf(calls, user.sid);
  const plain = await plainPipe();
  try {
    const computers = ["localhost", hostname()];
    for (const computer of computers) {
      const unc = (name: string): string => name.replace("\\\\.\\", `\\\\${computer}\\`);
      const control = user.act("credentialsForNetwork", () => openingError(calls, unc(plain.name), pipeRights.read));
      if (control !== 0) throw new NotShown(`a pipe open to everyone cannot be reached on \\\\${computer} either (error ${control})`);
      user.act("credentialsForNetwork", () => expectRefused(calls, unc(pipe.name), [pipeRights.read, pipeRights.write]));
    }
    return `refused on ${computers.map((computer) => `\\\\${computer}`).join(" and ")}; a pipe open to everyone can be read there`;
  } finally {
    plain.close();
    pipe.close();
  }
}
