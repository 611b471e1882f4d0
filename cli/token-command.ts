/** `dms-connect token`: prints a valid access token, for scripts. */
import type { TokenGetParams, TokenGetResult } from "../shared/pipe-protocol.ts";
import { environments } from "../shared/views.ts";
import { readArguments, readWords, UsageError } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./report-failure.ts";
import { withBroker } from "./with-broker.ts";

export const tokenUsage =
  "dms-connect token PROVIDER USER [--environment acceptance|production] [--organisation ID] [--min-validity SECONDS] [--format token|json|header]";

const formats: Readonly<Record<string, (token: TokenGetResult) => string>> = {
  token: ({ accessToken }) => accessToken,
  json: (token) => JSON.stringify(token),
  header: ({ headers }) =>
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
};

/** Prints the token to stdout and nothing else there. Returns the exit code. */
export async function tokenCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, {
    environment: { type: "string" },
    organisation: { type: "string" },
    "min-validity": { type: "string" },
    format: { type: "string", default: "token" },
  });
  const [provider, user] = readWords(positionals, ["PROVIDER", "USER"]);
  const show = Object.hasOwn(formats, values.format) ? formats[values.format] : undefined;
  if (show === undefined) throw new UsageError(`--format must be one of ${Object.keys(formats).join(", ")}`);
  const params: TokenGetParams = {
    provider,
    user,
    ...readEnvironment(values.environment),
    ...readMinValidity(values["min-validity"]),
    ...(values.organisation === undefined ? {} : { organisation: values.organisation }),
  };
  return withBroker(values, async (client) => {
    const token = await client.tokenGet(params);
    if (!token.ok) return reportFailure(token.error);
    console.log(show(token.value));
    return exitCodes.ok;
  });
}

function readEnvironment(word: string | undefined): Pick<TokenGetParams, "environment"> {
  if (word === undefined) return {};
  const environment = environments.find((known) => known === word);
  if (environment === undefined) throw new UsageError(`--environment must be one of ${environments.join(", ")}`);
  return { environment };
}

function readMinValidity(text: string | undefined): Pick<TokenGetParams, "minValiditySeconds"> {
  if (text === undefined) return {};
  if (!/^\d{1,5}$/.test(text)) throw new UsageError("--min-validity must be a number of seconds");
  return { minValiditySeconds: Number(text) };
}
