/**
 * The two stand-in providers of `e2e/providers`, each with its token endpoint behind TLS and a proxy. Sign-in pages and APIs
 * are reached directly: what a person's browser and a program do there is not the app's.
 */
import { z } from "zod";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import { startMazdaServer } from "../../e2e/providers/mazda-server.ts";
import { startWebfleetServer } from "../../e2e/providers/webfleet-server.ts";
import { makeLoopbackCertificate } from "../../electron/oauth/loopback-certificate.ts";
import type { Random } from "../crash/random.ts";
import { type ChaosProxy, startChaosProxy } from "./chaos-proxy.ts";
import { clientId, clientSecret, type OfferedProvider, type ProviderId, redirectUri } from "./child-contract.ts";
import type { Ledger } from "./ledger.ts";
import { createTokenEndpoint, type TokenEndpoint } from "./token-endpoint.ts";

export interface StandIn {
  readonly id: ProviderId;
  readonly offered: OfferedProvider;
  readonly proxy: ChaosProxy;
  readonly tokenEndpoint: TokenEndpoint;
  /** By the API: undefined if it answers 401. */
  readonly ownerOf: (accessToken: string) => Promise<string | undefined>;
  /** Gives the next tokens another life, and writes `expires_in` in another way where the provider's document leaves it open. */
  readonly vary: () => void;
  readonly close: () => Promise<void>;
}

export interface StandInsOptions {
  readonly users: Readonly<Record<ProviderId, readonly string[]>>;
  /** How long access tokens live. */
  readonly lifeSeconds: LifeSeconds;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly onProblem: (text: string) => void;
}

export interface LifeSeconds {
  readonly shortest: number;
  readonly longest: number;
}

export interface StandIns {
  readonly all: readonly StandIn[];
  readonly certificatePem: string;
  readonly close: () => Promise<void>;
}

interface Server {
  readonly id: ProviderId;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly issuer?: string;
  readonly vary: () => void;
  readonly close: () => Promise<void>;
}

/** Both token endpoints are open. */
export async function startStandIns(options: StandInsOptions): Promise<StandIns> {
  const certificate = await makeLoopbackCertificate(Date.now());
  const all = [
    await standIn(await startMazda(options), options, certificate),
    await standIn(await startWebfleet(options), options, certificate),
  ];
  return {
    all,
    certificatePem: certificate.certificatePem,
    close: async () => {
      for (const { close } of all) await close();
    },
  };
}

async function standIn(
  server: Server,
  options: StandInsOptions,
  certificate: Parameters<typeof createTokenEndpoint>[0]["certificate"],
): Promise<StandIn> {
  const { id, tokenUrl, authorizeUrl, issuer, apiUrl, vary } = server;
  const { ledger, random, onProblem } = options;
  const proxy = await startChaosProxy(random);
  const ownerOf = (accessToken: string) => askOwner(apiUrl, accessToken);
  const tokenEndpoint = createTokenEndpoint({ provider: id, tokenUrl, ownerOf, certificate, proxy, ledger, random, onProblem });
  await tokenEndpoint.open();
  return {
    id,
    offered: {
      id,
      authorizationEndpoint: authorizeUrl,
      tokenEndpoint: `https://127.0.0.1:${proxy.port}${new URL(tokenUrl).pathname}`,
      ...(issuer === undefined ? {} : { issuer }),
    },
    proxy,
    tokenEndpoint,
    ownerOf,
    vary,
    close: async () => {
      await proxy.close();
      await tokenEndpoint.close();
      await server.close();
    },
  };
}

const client = { clientId, clientSecret, redirectUris: [redirectUri], applicationName: "Soak" };

async function startMazda({ users, lifeSeconds, random }: StandInsOptions): Promise<Server> {
  // Shorter tokens than Mazda's, since thousands of them are kept.
  const behaviour = { accessTokenLength: 200, refreshTokenLength: 200, accessTokenLifetimeSeconds: lifeSeconds.longest };
  const server = await startMazdaServer({ protocol: "http", clients: [client], users: people(users.mazda), behaviour });
  return {
    id: "mazda",
    authorizeUrl: server.authorizeUrl,
    tokenUrl: server.tokenUrl,
    apiUrl: server.workOrdersUrl,
    vary: () => {
      server.behaviour.accessTokenLifetimeSeconds = anyLife(random, lifeSeconds);
      server.behaviour.expiresIn = random.pick(["seconds", "string", "epoch", "epoch-ms"]);
    },
    close: server.close,
  };
}

async function startWebfleet({ users, lifeSeconds, random }: StandInsOptions): Promise<Server> {
  const behaviour = { accessTokenLifetimeSeconds: lifeSeconds.longest };
  const server = await startWebfleetServer({ clients: [client], users: people(users.webfleet), behaviour });
  return {
    id: "webfleet",
    authorizeUrl: server.authorizeUrl,
    tokenUrl: server.tokenUrl,
    apiUrl: server.vehiclesUrl,
    issuer: server.issuer,
    vary: () => {
      server.behaviour.accessTokenLifetimeSeconds = anyLife(random, lifeSeconds);
    },
    close: server.close,
  };
}

function people(users: readonly string[]) {
  return users.map((id) => ({ id, name: id }));
}

function anyLife(random: Random, { shortest, longest }: LifeSeconds): number {
  return random.between(shortest, longest + 1);
}

const owner = z.looseObject({ user: z.string() });

async function askOwner(apiUrl: string, accessToken: string): Promise<string | undefined> {
  const response = await requestLoopback(apiUrl, { headers: { authorization: `Bearer ${accessToken}` } });
  if (response.status === 401) return undefined;
  return owner.parse(JSON.parse(response.text)).user;
}
