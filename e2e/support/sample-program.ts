/** The sample DMS program of `clients/node`, run as the process it is in real life. */
import { type RunningProgram, startProgram } from "../../electron/pipe/testing/run-program.ts";
import { apiUrl, type DealerUser, organisation, type ProviderOrigins } from "./test-dealer.ts";
import type { Workplace } from "./workplace.ts";

/** The command line that makes the sample program fetch the user's data once; `more` for example `--watch`. */
export function startSampleProgram(
  workplace: Workplace,
  origins: ProviderOrigins,
  user: DealerUser,
  more: readonly string[] = [],
): RunningProgram {
  const args = [
    ...["--provider", user.provider, "--environment", user.environment, "--user", user.user],
    ...["--api-url", apiUrl(origins, user), "--credentials", workplace.credentialsFile, "--ca-file", workplace.mazdaCertificateFile],
    ...(user.provider === "mazda" ? ["--organisation", organisation] : []),
    ...more,
  ];
  return startProgram("clients/node/sample-dms.ts", args, { DMS_CONNECT_PIPE: workplace.pipe });
}

/** The code in `Pairing code: 123456. …`. */
export function printedPairingCode(output: string): string | undefined {
  return /Pairing code: (\d{6})/.exec(output)?.[1];
}
