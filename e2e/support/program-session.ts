/** A paired program inside this process: for what the sample program does not print. Invariant: each session is closed after its use. */
import { readCredentials } from "../../clients/node/credentials-file.ts";
import { type BrokerClient, connectToBroker } from "../../clients/node/dms-connect-client.ts";
import { requestLoopback } from "../providers/loopback-request.ts";
import { apiUrl, type DealerUser, organisation, type ProviderOrigins } from "./test-dealer.ts";
import type { Workplace } from "./workplace.ts";

/**
 * Runs `use` in a session with the sample program's credentials.
 *
 * @throws when there are none, or the broker refuses them
 */
export async function withSession<T>(workplace: Workplace, use: (client: BrokerClient) => Promise<T>): Promise<T> {
  const credentials = await readCredentials(workplace.credentialsFile);
  if (credentials === undefined) throw new Error("the sample program has stored no credentials");
  const connected = await connectToBroker({ pipe: workplace.pipe, credentials });
  if (!connected.ok) throw new Error(`the broker refused the session: ${connected.error.code}`);
  try {
    return await use(connected.value);
  } finally {
    connected.value.close();
  }
}

/** What names the user's connection on the pipe. */
export function selector({ provider, environment, user }: DealerUser): Pick<DealerUser, "provider" | "environment" | "user"> {
  return { provider, environment, user };
}

export interface ApiAnswer {
  readonly status: number;
  /** The JSON it answered, which names the user and the organisation it saw. */
  readonly body: unknown;
}

/** Gets a token and calls the user's demo API with exactly the headers that came with it. */
export async function callDemoApi(
  client: BrokerClient,
  origins: ProviderOrigins,
  user: DealerUser,
  certificatePem: string,
): Promise<ApiAnswer> {
  const token = await client.tokenGet({ ...selector(user), ...(user.provider === "mazda" ? { organisation } : {}) });
  if (!token.ok) throw new Error(`no token for ${user.providerName}: ${token.error.code}`);
  const { status, text } = await requestLoopback(apiUrl(origins, user), { headers: token.value.headers, certificatePem });
  return { status, body: JSON.parse(text) };
}
