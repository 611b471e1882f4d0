import path from "node:path";
import { describe } from "vitest";
import { testClientProgram } from "../testing/client-program-tests.ts";
import { findPowerShell } from "../testing/toolchains.ts";

const powershell = findPowerShell();
if (powershell === undefined)
  console.log("skipped: the PowerShell client was not exercised, because there is neither pwsh nor powershell.");

describe.skipIf(powershell === undefined)("the PowerShell client", () => {
  const script = path.join(import.meta.dirname, "Sample.ps1");
  testClientProgram(() => [powershell ?? "", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script], {
    mayBeSkipped: ["one-slow-user"],
    hasNoEvents: true,
  });
});
