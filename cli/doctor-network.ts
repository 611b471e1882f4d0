/** The way from this computer to each provider. */
import type { PipeProvider } from "../shared/pipe-protocol.ts";
import type { Check } from "./doctor-check.ts";
import { checkEndpoint, type DoctorNetwork } from "./doctor-endpoint.ts";
import { rootsOfThisComputer } from "./doctor-tls.ts";

/** A provider environment with its addresses. */
export type DoctorProvider = Pick<
  PipeProvider,
  "provider" | "environment" | "authorizationEndpoint" | "tokenEndpoint" | "revocationEndpoint"
>;

/** For each step: a connection that takes longer is of no use to anybody who waits for a token. */
const stepTimeoutMs = 10_000;

/** What the command itself goes by. */
export function networkOfThisComputer(): DoctorNetwork {
  return { environment: process.env, roots: rootsOfThisComputer(), nowMs: Date.now, timeoutMs: stepTimeoutMs };
}

/** Checks every endpoint of every provider, each server once; all of them side by side, so that a dead network is told soon. */
export async function checkProviders(providers: readonly DoctorProvider[], network: DoctorNetwork): Promise<readonly Check[]> {
  const planned = endpointsOf(providers);
  return (await Promise.all(planned.map((endpoint) => checkEndpoint(endpoint, network)))).flat();
}

/** The endpoints of the providers this build knows, for when DMS Connect does not run. */
export async function builtInDoctorProviders(): Promise<readonly DoctorProvider[] | undefined> {
  try {
    // Found by the bundler: only a bundle has them.
    const { builtInProviders } = await import("../electron/oauth/provider-registry.ts");
    return builtInProviders.flatMap(({ id, environments }) => [
      ...(environments.acceptance === undefined ? [] : [{ provider: id, environment: "acceptance" as const, ...environments.acceptance }]),
      ...(environments.production === undefined ? [] : [{ provider: id, environment: "production" as const, ...environments.production }]),
    ]);
  } catch {
    return undefined;
  }
}

interface PlannedEndpoint {
  readonly label: string;
  readonly address: string;
  readonly isTokenEndpoint: boolean;
}

/** Token endpoints first: they are looked at whole, so that the others on the same server need no look of their own. */
function endpointsOf(providers: readonly DoctorProvider[]): readonly PlannedEndpoint[] {
  const servers = new Set(providers.map(({ tokenEndpoint }) => originOf(tokenEndpoint)));
  return providers.flatMap((provider) => {
    const place = `${provider.provider} (${provider.environment})`;
    const others = [
      { label: `${place} sign-in page`, address: provider.authorizationEndpoint, isTokenEndpoint: false },
      { label: `${place} revocation endpoint`, address: provider.revocationEndpoint ?? provider.tokenEndpoint, isTokenEndpoint: false },
    ].filter(({ address }) => isNew(servers, originOf(address)));
    return [{ label: `${place} token endpoint`, address: provider.tokenEndpoint, isTokenEndpoint: true }, ...others];
  });
}

function isNew(servers: Set<string>, origin: string): boolean {
  if (servers.has(origin)) return false;
  servers.add(origin);
  return true;
}

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address;
}
