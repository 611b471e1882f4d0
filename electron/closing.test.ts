/** What programs are told when the app closes: the whole broker, with a program whose request waits for its turn at the provider. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Credentials } from "../clients/node/session-proof.ts";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { startMazdaServer } from "../e2e/providers/mazda-server.ts";
import { provider as mazda } from "./oauth/providers/mazda.ts";
import { proofFor, RawClient } from "./pipe/testing/raw-client.ts";
import { type ComposedBroker, newProfile, openBroker, pairProgram, type TestProfile, valueOf } from "./testing/composed-broker.ts";

const users = ["joe", "jane"] as const;
const keyOf = (user: string) => ({ provider: "mazda", environment: "production", user }) as const;

/** Two connected users at a provider that is asked once in a hundred seconds. */
async function start(): Promise<{ readonly profile: TestProfile; readonly app: ComposedBroker }> {
  const client = { clientId: "macs7", clientSecret: "a secret", redirectUris: ["http://127.0.0.1/mazda/callback"] };
  const clients = [{ ...client, applicationName: "MACS7" }];
  const server = await startMazdaServer({ protocol: "http", clients, users: users.map((id) => ({ id, name: id })) });
  onTestFinished(() => server.close());
  const production = { authorizationEndpoint: server.authorizeUrl, tokenEndpoint: server.tokenUrl };
  const profile = newProfile();
  const app = await openBroker(profile, { ...mazda, environments: { production }, maxRequestsPerSecond: 0.01 });
  valueOf(await app.broker.registrations.save([{ provider: "mazda", environment: "production", ...client, organisations: [] }]));
  for (const user of users) await connect(app, user);
  return { profile, app };
}

async function connect({ broker, openedUrls }: ComposedBroker, user: string): Promise<void> {
  valueOf(await broker.connectFlow.start(keyOf(user), undefined));
  const connected = new Promise((resolve) => {
    onTestFinished(broker.connections.onChanged(({ state }) => state === "Active" && resolve(state)));
  });
  await requestLoopback(await answerConsent(openedUrls.at(-1) ?? "", { decision: "approve", userId: user }));
  await connected;
}

async function sessionOf({ pipe }: TestProfile, credentials: Credentials): Promise<RawClient> {
  const program = await RawClient.connect(pipe);
  const { nonce } = await program.hello(credentials.clientId);
  await program.ask("session.authenticate", { proof: proofFor(nonce, credentials) });
  return program;
}

it("tells programs when to come back, before whatever they wait for ends: those that follow events first", async () => {
  const { profile, app } = await start();
  const program = await sessionOf(profile, await pairProgram(profile, app.broker));
  const reject = async (user: string, id: number) => {
    const { result } = await program.ask("token.get", keyOf(user));
    program.send({ id, method: "token.rejected", params: { ...keyOf(user), tokenId: result?.["tokenId"] } });
  };
  await reject("joe", 1);
  expect(await program.next()).toMatchObject({ id: 1, result: { tokenType: "Bearer" } });
  await reject("jane", 2);
  // Answered out of turn: the other one waits for the provider's turn.
  expect(await program.ask("events.subscribe", {}, 3)).toMatchObject({ id: 3, result: { sequence: 0 } });

  const closed = app.close();
  expect(await program.next()).toMatchObject({ method: "event", params: { type: "shutting_down", retryAfterSeconds: 5 } });
  expect(await program.next()).toMatchObject({ id: 2, error: { data: { code: "shutting_down", retryAfterSeconds: 5 } } });
  await Promise.all([closed, program.closed]);
  expect(existsSync(join(profile.folder, "broker.json"))).toBe(false);
});
