import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type PipeNameSources, parseTasklist, parseWhoami } from "../../clients/node/default-pipe-name.ts";
import { pipeName } from "./pipe-name.ts";

function sources(changes: Partial<PipeNameSources>): PipeNameSources {
  return {
    platform: "linux",
    env: {},
    temporaryFolder: "/tmp",
    userId: 1000,
    windowsUser: () => Promise.resolve({ identity: "S-1-5-21-1-2-3-1001", sessionId: "2" }),
    ...changes,
  };
}

describe.skipIf(process.platform === "win32")("the socket path", () => {
  it("is in the runtime folder of the user", async () => {
    expect(await pipeName(sources({ env: { XDG_RUNTIME_DIR: "/run/user/1000" } }))).toEqual({
      ok: true,
      value: "/run/user/1000/dms-connect/broker.sock",
    });
  });

  it("is in a folder named by the user's id where there is no runtime folder", async () => {
    expect(await pipeName(sources({}))).toEqual({ ok: true, value: "/tmp/dms-connect-1000/broker.sock" });
    expect(await pipeName(sources({ env: { XDG_RUNTIME_DIR: "relative" } }))).toEqual({
      ok: true,
      value: "/tmp/dms-connect-1000/broker.sock",
    });
  });

  it("is what DMS_CONNECT_PIPE says", async () => {
    expect(await pipeName(sources({ env: { DMS_CONNECT_PIPE: "/elsewhere/a.sock" } }))).toEqual({ ok: true, value: "/elsewhere/a.sock" });
  });

  it("is refused with a clear reason when the system cannot take it", async () => {
    const fits = `/${"é".repeat(53)}`;
    expect(await pipeName(sources({ env: { DMS_CONNECT_PIPE: fits } }))).toEqual({ ok: true, value: fits });
    expect(await pipeName(sources({ env: { DMS_CONNECT_PIPE: `${fits}x` } }))).toMatchObject({
      ok: false,
      error: { code: "pipe_failed", params: { problem: expect.stringContaining("108 bytes") as unknown } },
    });
    expect(await pipeName(sources({ env: { DMS_CONNECT_PIPE: "relative.sock" } }))).toMatchObject({ ok: false });
  });
});

describe("the Windows pipe name", () => {
  it("holds the hash of the user's SID and the session id", async () => {
    const hash = createHash("sha256").update("S-1-5-21-1-2-3-1001").digest("hex").slice(0, 16);
    expect(await pipeName(sources({ platform: "win32" }))).toEqual({ ok: true, value: `\\\\.\\pipe\\dms-connect-${hash}-2` });
  });

  it("must be a pipe's name when DMS_CONNECT_PIPE sets it", async () => {
    const override = (name: string): Promise<unknown> => pipeName(sources({ platform: "win32", env: { DMS_CONNECT_PIPE: name } }));
    expect(await override("\\\\.\\pipe\\mine")).toEqual({ ok: true, value: "\\\\.\\pipe\\mine" });
    expect(await override("C:\\mine")).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
    expect(await override("\\\\server\\pipe\\mine")).toMatchObject({ ok: false, error: { code: "pipe_failed" } });
  });

  it("is made from what whoami and tasklist print, in any language", () => {
    expect(parseWhoami('"dealer\\jdoe","S-1-5-21-1-2-3-1001"\r\n')).toBe("S-1-5-21-1-2-3-1001");
    expect(parseWhoami("ERROR")).toBeUndefined();
    expect(parseTasklist('\r\n"node.exe","4711","RDP-Tcp#3","2","45.000 K"\r\n')).toBe("2");
    expect(parseTasklist("INFORMATION: Es werden keine Aufgaben ausgeführt")).toBeUndefined();
  });
});
