/** When the broker refuses to serve on Windows. Windows' own calls are played here; under Wine they are real (windows/). */
import { describe, expect, it, vi } from "vitest";
import { loadWindowsCalls, type WindowsCalls } from "./windows-calls.ts";
import { prepareWindowsPipe } from "./windows-pipe-place.ts";

vi.mock("./windows-calls.ts", async (importOriginal) => ({
  ...(await importOriginal<typeof import("./windows-calls.ts")>()),
  loadWindowsCalls: vi.fn<typeof loadWindowsCalls>(),
}));

const name = "\\\\.\\pipe\\dms-connect-test";
const sid = "S-1-5-21-1-2-3-1001";
const wanted = `D:P(D;;FA;;;NU)(A;;FA;;;SY)(A;;FA;;;${sid})`;

/** What a test changes of a Windows on which all is well. */
interface Changes extends Partial<WindowsCalls> {
  /** The error of whatever fails. */
  readonly lastError?: number;
  /** What the pipe says its list is, given what it was told. */
  readonly keeps?: (sddl: string) => string;
  readonly isNetworkLogon?: boolean;
}

/** Windows with one pipe. Addresses are numbers of texts. */
function windows({ lastError = 2, keeps = (sddl) => sddl, isNetworkLogon = false, ...changes }: Changes = {}) {
  const texts: string[] = [""];
  const open = new Set<unknown>();
  let accessList = "D:(A;;FR;;;WD)";
  const put = (text: string, place: BigUint64Array): number => {
    place[0] = BigInt(texts.push(text) - 1);
    return 1;
  };
  const textAt = (address: unknown): string => texts[Number(address)] ?? "";
  const calls: WindowsCalls = {
    waitNamedPipe: () => 0,
    getLastError: () => lastError,
    createFile: () => {
      open.add(4n);
      return 4n;
    },
    closeHandle: (handle) => Number(open.delete(handle)),
    getNamedPipeServerProcessId: (_pipe, processId) => (processId[0] = process.pid),
    processIdToSessionId: () => 1,
    localFree: () => 0,
    openProcessToken: (_process, _access, token) => {
      open.add(8n);
      token[0] = 8n;
      return 1;
    },
    getTokenInformation: () => 1,
    convertSidToStringSid: (_sid, text) => put(sid, text),
    convertStringToSid: (text, place) => put(text, place),
    checkTokenMembership: (_token, _sid, isMember) => {
      isMember[0] = Number(isNetworkLogon);
      return 1;
    },
    convertStringToDescriptor: (sddl, _revision, place) => put(sddl, place),
    convertDescriptorToString: (descriptor, _revision, _parts, place) =>
      put(descriptor instanceof Buffer ? keeps(accessList) : textAt(descriptor), place),
    setKernelObjectSecurity: (_handle, _parts, descriptor) => {
      accessList = textAt(descriptor);
      return 1;
    },
    getKernelObjectSecurity: () => 1,
    addressIn: () => 0,
    textAt,
    ...changes,
  };
  vi.mocked(loadWindowsCalls).mockResolvedValue(calls);
  return { open, accessList: () => accessList };
}

async function outcome(ownConnection: Promise<unknown> = Promise.resolve()): Promise<unknown> {
  const place = await prepareWindowsPipe(name);
  const result = place.ok ? await place.value.closeToOthers(ownConnection) : place;
  return result.ok ? "private" : { code: result.error.code, params: result.error.params };
}
const notPrivate = (problem: string) => ({ code: "pipe_not_private", params: { problem } });
const inUse = { code: "pipe_in_use", params: { name } };

describe("the pipe on Windows", () => {
  it("is the user's and SYSTEM's once it listens, and no handle stays open", async () => {
    const { open, accessList } = windows();
    expect(await outcome()).toBe("private");
    expect(accessList()).toBe(wanted);
    expect(open).toEqual(new Set());
  });

  it("is taken as private whatever flags Windows adds to the list", async () => {
    windows({ keeps: (sddl) => sddl.replace("D:P", "D:PARAI") });
    expect(await outcome()).toBe("private");
  });

  it.each([
    ["has lost its list", () => ""],
    ["has an entry more", (sddl: string) => `${sddl}(A;;FR;;;WD)`],
    ["has lost the entry for NETWORK", (sddl: string) => sddl.replace("(D;;FA;;;NU)", "")],
    ["has entries in another order", () => `D:P(A;;FA;;;SY)(A;;FA;;;${sid})(D;;FA;;;NU)`],
  ])("is not served on when it %s", async (_case, keeps) => {
    const { open } = windows({ keeps });
    expect(await outcome()).toEqual(notPrivate("the access list was not kept"));
    expect(open).toEqual(new Set());
  });

  it.each(["setKernelObjectSecurity", "getKernelObjectSecurity", "getNamedPipeServerProcessId"] as const)(
    "is not served on when %s fails",
    async (call) => {
      const { open } = windows({ [call]: () => 0, lastError: 5 });
      expect(await outcome()).toMatchObject({
        code: "pipe_not_private",
        params: { problem: expect.stringContaining("error 5") as unknown },
      });
      expect(open).toEqual(new Set());
    },
  );

  it.each(["openProcessToken", "getTokenInformation", "checkTokenMembership", "convertSidToStringSid"] as const)(
    "is not even listened on when %s fails",
    async (call) => {
      windows({ [call]: () => 0, lastError: 5 });
      expect(await prepareWindowsPipe(name)).toMatchObject({ ok: false, error: { code: "pipe_not_private" } });
    },
  );

  it("is not listened on where koffi is missing", async () => {
    vi.mocked(loadWindowsCalls).mockResolvedValue(undefined);
    expect(await outcome()).toEqual(notPrivate("koffi could not be loaded"));
  });

  it("is not listened on in a session from another computer, which its own list would refuse", async () => {
    windows({ isNetworkLogon: true });
    expect(await outcome()).toEqual(notPrivate("this session was opened from another computer"));
  });

  it("is in use when there is a pipe of that name, with a free end or with none", async () => {
    windows({ waitNamedPipe: () => 1 });
    expect(await outcome()).toEqual(inUse);
    windows({ lastError: 121 });
    expect(await outcome()).toEqual(inUse);
  });

  it("is in use when another process answers on it after all", async () => {
    windows({ getNamedPipeServerProcessId: (_pipe, processId) => (processId[0] = process.pid + 1) });
    expect(await outcome()).toEqual(inUse);
  });

  it("is tried again while strangers have taken all its ends", async () => {
    let attempts = 0;
    windows({ createFile: () => ((attempts += 1) < 3 ? -1 : 4n), lastError: 231 });
    expect(await outcome()).toBe("private");
    expect(attempts).toBe(3);
  });

  it("is given up when it cannot be opened for another reason", async () => {
    windows({ createFile: () => -1, lastError: 5 });
    expect(await outcome()).toEqual(notPrivate("CreateFile failed with error 5"));
  });
});
