/**
 * Started by a Windows Node, under Wine: the real pipe server on the name it is given, with a stand-in behind it; and
 * beside it a pipe on which nobody ever answers. Writes both names to the file it is given, and ends when there is a
 * file of that name with `.stop` after it.
 */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { pipeName } from "../../../electron/pipe/pipe-name.ts";
import { startPipeServer } from "../../../electron/pipe/pipe-server.ts";
import { FakeRegistry, fakeProgramApi, recordingLog } from "../../../electron/pipe/testing/fake-broker.ts";
import { useWindowsKoffi } from "../../../electron/pipe/windows/windows-koffi.ts";
import { systemPipeNameSources } from "../../node/default-pipe-name.ts";

useWindowsKoffi();
const [, , readyFile = "", chosenName = ""] = process.argv;
const name = await pipeName({ ...systemPipeNameSources(), env: { DMS_CONNECT_PIPE: chosenName } });
if (!name.ok) throw new Error(name.error.message);
const registry = new FakeRegistry();
registry.approve();
const started = await startPipeServer({
  name: name.value,
  programApi: fakeProgramApi(),
  registry,
  log: recordingLog(),
  version: "1.2.3",
  nowMs: Date.now,
});
if (!started.ok) throw new Error(started.error.message);
const silentName = `${name.value}-silent`;
createServer((socket) => socket.resume().on("error", () => undefined)).listen(silentName, () => {
  // Renamed, so that whoever waits for it finds it whole.
  writeFileSync(`${readyFile}.new`, JSON.stringify({ name: name.value, silentName }));
  renameSync(`${readyFile}.new`, readyFile);
});

// Signals do not reach it there.
setInterval(() => {
  if (existsSync(`${readyFile}.stop`)) process.exit();
}, 100);
