/**
 * The pipe server as a Windows program: on Windows itself, elsewhere under Wine, where npm has a Node and koffi for it.
 * Wine keeps access lists but lets everybody in; what only a real Windows shows is said by `show-pipe-access.ts`.
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findWindowsNode, startWine, windowsPath } from "../../../clients/c/testing/wine.ts";
import { windowsPipeName } from "../../../clients/node/default-pipe-name.ts";
import { fetchWindowsKoffi } from "./windows-koffi.ts";

const script = path.join(import.meta.dirname, "show-pipe-access.ts");
const runMs = 100_000;

/** What can be shown with one account; the rest takes an administrator on a real Windows. */
const shownAnywhere = [
  "setting the access list leaves no session behind",
  "the access list is in place, and for ends created later too",
  "the user's own programs are served",
  "a second server on the name is refused, and the first goes on",
  "a name that another process has taken is noticed",
  "without koffi, which sets the access list, nobody is served",
];

interface WindowsRun {
  /** What the script prints. */
  readonly run: () => Promise<string>;
  /** The SID of the user, from another place than the token; undefined where the script itself compares it. */
  readonly sid?: () => string;
  readonly dispose: () => void;
}

function underWine(): WindowsRun | undefined {
  const wine = startWine();
  if (wine === undefined) return undefined;
  const node = findWindowsNode("x64");
  const isReady = node !== undefined && fetchWindowsKoffi("x64");
  if (!isReady || wine.run(node, "-e", "process.exitCode = 42").code !== 42) {
    wine.dispose();
    return undefined;
  }
  return {
    run: async () => wine.run(node, windowsPath(script)).stdout,
    sid: () => /S-1-5-21[-0-9]+/.exec(wine.run("reg", "query", "HKU").stdout)?.[0] ?? "none",
    dispose: wine.dispose,
  };
}

function onThisWindows(): WindowsRun {
  const run = (): Promise<string> =>
    new Promise((resolve) => {
      execFile(process.execPath, [script], { timeout: runMs }, (_error, stdout) => resolve(stdout));
    });
  return { run, dispose: () => undefined };
}

const windows = process.platform === "win32" ? onThisWindows() : underWine();
afterAll(() => windows?.dispose(), runMs);
if (windows === undefined) {
  process.stdout.write(
    "skipped: the Windows pipe was not exercised, because there is no Wine, or no Node or koffi for Windows could be fetched.\n",
  );
}

describe.skipIf(windows === undefined)("the Windows pipe", () => {
  it("lets in whom it should as far as this system shows, and notices who has its name", { timeout: runMs }, async () => {
    const lines = ((await windows?.run()) ?? "").trim().split("\n");
    expect(lines.filter((line) => line.startsWith("WRONG"))).toEqual([]);
    const shown = lines.filter((line) => line.startsWith("shown: ")).join("\n");
    for (const claim of shownAnywhere) expect(shown).toContain(`shown: ${claim} (`);
    const named = lines.find((line) => line.includes("the hash of the user's SID")) ?? "";
    const sessionId = /pipe\\dms-connect-[0-9a-f]{16}-(\d+)/.exec(named)?.[1] ?? "none";
    const identity = windows?.sid?.();
    expect(named).toContain(identity === undefined ? "shown: " : windowsPipeName({ identity, sessionId }));
  });
});
