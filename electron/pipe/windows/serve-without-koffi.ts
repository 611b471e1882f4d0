/** Tries to serve the name it is given while koffi cannot be loaded, and prints what came of it. For tests only. */
import { registerHooks } from "node:module";
import { startPipeServer } from "../pipe-server.ts";
import { FakeRegistry, fakeProgramApi, recordingLog } from "../testing/fake-broker.ts";

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === "koffi") throw new Error("there is no binary for this computer");
    return next(specifier, context);
  },
});

const [, , name = ""] = process.argv;
const started = await startPipeServer({
  name,
  programApi: fakeProgramApi(),
  registry: new FakeRegistry(),
  log: recordingLog(),
  version: "1.2.3",
  nowMs: Date.now,
});
process.stdout.write(started.ok ? "listening" : started.error.code, () => process.exit());
