/** The whole broker with one connected user, for tests of client programs: real pipe, real vault, a stand-in provider. */
import { onTestFinished } from "vitest";
import { answerConsent } from "../../e2e/providers/consent-client.ts";
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import { type MazdaServer, startMazdaServer } from "../../e2e/providers/mazda-server.ts";
import type { ConnectionKey } from "../../electron/core/connection-state.ts";
import { provider as mazda } from "../../electron/oauth/providers/mazda.ts";
import {
  type ComposedBroker,
  newProfile,
  openBroker,
  pairProgram,
  type TestProfile,
  valueOf,
} from "../../electron/testing/composed-broker.ts";
import type { Credentials } from "../node/session-proof.ts";

export const connectedUser: ConnectionKey = { provider: "mazda", environment: "production", user: "joe" };

export interface ConnectedBroker {
  readonly profile: TestProfile;
  readonly app: ComposedBroker;
  readonly server: MazdaServer;
  /** Of a program that was paired and may use everything. */
  readonly credentials: Credentials;
  /** The access token that the broker holds for the connected user. */
  readonly accessToken: () => Promise<string>;
  /** Quits the app and starts it again on the same profile. */
  readonly restart: () => Promise<void>;
}

/** Starts a broker, connects one user and pairs one program. It ends with the test. */
export async function startConnectedBroker(): Promise<ConnectedBroker> {
  const redirectUri = "http://127.0.0.1/mazda/callback";
  const client = { clientId: "macs7", clientSecret: "a secret", redirectUris: [redirectUri] };
  const server = await startMazdaServer({
    protocol: "http",
    clients: [{ ...client, applicationName: "MACS7" }],
    users: [{ id: connectedUser.user, name: "Joe" }],
  });
  onTestFinished(() => server.close());
  const endpoints = { authorizationEndpoint: server.authorizeUrl, tokenEndpoint: server.tokenUrl };
  const definition = { ...mazda, environments: { production: endpoints } };
  const profile = newProfile();
  const app = await openBroker(profile, definition);
  const { provider, environment } = connectedUser;
  valueOf(await app.broker.registrations.save([{ provider, environment, ...client, organisations: [] }]));
  await connect(app);
  const credentials = await pairProgram(profile, app.broker);
  let running = app;
  return {
    profile,
    app,
    server,
    credentials,
    accessToken: () => accessToken(running),
    restart: async () => {
      await running.close();
      running = await openBroker(profile, definition);
    },
  };
}

async function connect({ broker, openedUrls }: ComposedBroker): Promise<void> {
  valueOf(await broker.connectFlow.start(connectedUser, undefined));
  const ended = new Promise<void>((resolve) => {
    onTestFinished(broker.connections.onChanged(({ state }) => state !== "Connecting" && resolve()));
  });
  await requestLoopback(await answerConsent(openedUrls.at(-1) ?? "", { decision: "approve" }));
  await ended;
}

async function accessToken({ broker }: ComposedBroker): Promise<string> {
  const { record } = valueOf(await broker.connections.load(connectedUser));
  if (record === undefined || !("grant" in record.state)) throw new Error("the user is not connected");
  return record.state.grant.accessToken;
}
