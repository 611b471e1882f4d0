/**
 * A broker's whole life, with every secret caught where it arises, and then the search for them in everything it has
 * written: the profile and the system's folder for temporary files, both while it runs and after its end.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type * as selfsigned from "selfsigned";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { answerConsent } from "../e2e/providers/consent-client.ts";
import { requestLoopback } from "../e2e/providers/loopback-request.ts";
import { startWebfleetServer, type WebfleetServer } from "../e2e/providers/webfleet-server.ts";
import { freePort } from "../e2e/support/free-port.ts";
import { type NamedSecret, privateKeySecrets, searchFolder } from "../e2e/support/secret-search.ts";
import { createLog } from "./diagnostics/log.ts";
import { provider as webfleet } from "./oauth/providers/webfleet.ts";
import {
  type ComposedBroker,
  newProfile,
  openBroker,
  openSession,
  pairProgram,
  type TestProfile,
  valueOf,
} from "./testing/composed-broker.ts";

const clientSecret = "WebfleetSecret+:/ %é7Qx";
const key = { provider: "webfleet", environment: "production", user: "johndoe" } as const;

const made = vi.hoisted(() => ({ certificates: [] as { readonly certificatePem: string; readonly privateKeyPem: string }[] }));
vi.mock("selfsigned", async (importOriginal) => {
  const original = await importOriginal<typeof selfsigned>();
  const generate = async (...given: Parameters<typeof original.generate>) => {
    const pair = await original.generate(...given);
    made.certificates.push({ certificatePem: pair.cert, privateKeyPem: pair.private });
    return pair;
  };
  return { ...original, generate };
});

/** What passed between the broker and its provider, as text. */
interface Exchange {
  readonly url: string;
  readonly request: string;
  readonly authorization: string;
  readonly answer: string;
}

/** Notes every request of brokers that are opened from now on, and its answer. */
function watchFetch(): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  const unwatched = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
    const response = await unwatched(url, init);
    if (typeof url !== "string" || typeof init?.body !== "string") throw new Error("the broker sends texts to texts");
    exchanges.push({
      url,
      request: init.body,
      authorization: new Headers(init.headers).get("authorization") ?? "",
      answer: await response.clone().text(),
    });
    return response;
  });
  return exchanges;
}

/** Notes what is given to `safeStorage`: the vault key in base64, behind a label. */
function watchVaultKey({ safeStorage }: TestProfile): () => Buffer {
  const encrypted = vi.spyOn(safeStorage, "encryptStringAsync");
  return () => {
    const keys = encrypted.mock.calls.map(([text]) => Buffer.from(text.slice(text.lastIndexOf(":") + 1), "base64"));
    const vaultKey = keys.find(({ length }) => length === 32);
    if (vaultKey === undefined) throw new Error("no vault key went through safeStorage");
    return vaultKey;
  };
}

async function startProvider(redirectUri: string): Promise<WebfleetServer> {
  const clients = [{ clientId: "macs7", clientSecret, redirectUris: [redirectUri], applicationName: "MACS7" }];
  const server = await startWebfleetServer({ protocol: "http", clients, users: [{ id: key.user, name: "John Doe" }] });
  onTestFinished(() => server.close());
  return server;
}

/** Signs in; gives the address that was opened in the browser. */
async function connect({ broker, openedUrls }: ComposedBroker): Promise<string> {
  const connected = new Promise((resolve) => broker.connections.onChanged(({ state }) => state === "Active" && resolve(state)));
  valueOf(await broker.connectFlow.start(key, undefined));
  const [authorizationUrl = ""] = openedUrls;
  const callback = await answerConsent(authorizationUrl, { decision: "approve" });
  await requestLoopback(callback, { certificatePem: made.certificates.at(-1)?.certificatePem });
  await connected;
  return authorizationUrl;
}

interface Life {
  /** The folder for temporary files, with the profile in it. */
  readonly folder: string;
  readonly profile: TestProfile;
  readonly exchanges: readonly Exchange[];
  readonly authorizationUrl: string;
  readonly secrets: readonly NamedSecret[];
  readonly whileRunning: ReturnType<typeof searchFolder>;
}

/** Saves a registration, connects, pairs, gets and renews a token, restarts, renews again, revokes and closes. */
async function liveThrough(): Promise<Life> {
  const folder = mkdtempSync(join(tmpdir(), "dms-leak-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, folder);
  const redirectUri = `https://127.0.0.1:${await freePort()}/webfleet/callback`;
  const server = await startProvider(redirectUri);
  const { issuer, authorizeUrl, tokenUrl, revocationUrl } = server;
  const endpoints = { issuer, authorizationEndpoint: authorizeUrl, tokenEndpoint: tokenUrl, revocationEndpoint: revocationUrl };
  const definition = { ...webfleet, environments: { production: endpoints } };
  const profile = newProfile();
  const [exchanges, vaultKey] = [watchFetch(), watchVaultKey(profile)];

  const first = await openBroker(profile, definition);
  const { provider, environment } = key;
  const registration = { provider, environment, clientId: "macs7", clientSecret, redirectUris: [redirectUri], organisations: [] };
  valueOf(await first.broker.registrations.save([registration]));
  const authorizationUrl = await connect(first);
  const credentials = await pairProgram(profile, first.broker);
  const renewToken = async () => {
    const session = await openSession(profile, credentials);
    const { tokenId } = valueOf(await session.tokenGet(key));
    valueOf(await session.tokenRejected({ ...key, tokenId }));
  };
  await renewToken();
  await first.close();
  const second = await openBroker(profile, definition);
  await renewToken();
  valueOf(await second.broker.revocation.revoke(key));

  const secrets = [
    ...exchangedSecrets(exchanges, authorizationUrl),
    ...server.issuedSecrets().map((value) => ({ name: "issued by the provider", value })),
    { name: "client secret", value: clientSecret },
    { name: "program's key", value: credentials.clientKey },
    { name: "program's key", value: Buffer.from(credentials.clientKey, "base64url") },
    { name: "vault key", value: vaultKey() },
    ...made.certificates.flatMap(({ privateKeyPem }) => privateKeySecrets("callback's private key", privateKeyPem)),
  ];
  const whileRunning = searchFolder(folder, secrets);
  await second.close();
  return { folder, profile, exchanges, authorizationUrl, secrets, whileRunning };
}

const secretFields = ["state", "code", "code_verifier", "refresh_token", "access_token", "id_token", "token"];

/** Everything secret that went over the wire, under its name there. */
function exchangedSecrets(exchanges: readonly Exchange[], authorizationUrl: string): readonly NamedSecret[] {
  const asked = [...new URL(authorizationUrl).searchParams];
  const sent = exchanges.flatMap(({ request }) => [...new URLSearchParams(request)]);
  // The stand-in's answers are empty or flat objects.
  const received = exchanges.flatMap(({ answer }) => Object.entries(JSON.parse(answer || "{}") as Record<string, unknown>));
  const fields = [...asked, ...sent, ...received].flatMap(([name, value]) =>
    secretFields.includes(name) && typeof value === "string" ? [{ name, value }] : [],
  );
  return [...fields, ...exchanges.map(({ authorization }) => ({ name: "authorization", value: authorization.replace("Basic ", "") }))];
}

/** The files of the profile among those that were searched, by the names they have there. */
function profileFiles({ profile }: Life, files: readonly string[]): readonly string[] {
  const start = `${basename(profile.folder)}/`;
  return files.filter((file) => file.startsWith(start)).map((file) => file.slice(start.length));
}

describe("the files of a broker that was registered, connected, used, renewed, restarted and revoked", { timeout: 60_000 }, () => {
  it("hold no secret, neither while it runs nor after its end", async () => {
    const life = await liveThrough();
    const afterwards = searchFolder(life.folder, life.secrets);
    const files = { whileRunning: profileFiles(life, life.whileRunning.files), afterwards: profileFiles(life, afterwards.files) };
    process.stderr.write(`searched while running: ${files.whileRunning.join(", ")}; afterwards: ${files.afterwards.join(", ")}\n`);

    const required = ["dms-connect.log", "vault-keys.json", "vault.sqlite"];
    expect(files.whileRunning).toEqual(expect.arrayContaining([...required, "broker.json", "vault.sqlite-wal"]));
    expect(files.afterwards).toEqual(expect.arrayContaining(required));
    expect(dirname(life.profile.folder)).toBe(life.folder);
    expect([...new Set(life.secrets.map(({ name }) => name))].toSorted()).toEqual([
      "access_token",
      "authorization",
      "callback's private key (DER)",
      "callback's private key (PEM)",
      "callback's private key (number)",
      "client secret",
      "code",
      "code_verifier",
      "issued by the provider",
      "program's key",
      "refresh_token",
      "state",
      "token",
      "vault key",
    ]);
    // What is no secret is found: these are the files of this life, and they are searched as they are.
    expect(searchFolder(life.profile.folder, [{ name: "user", value: key.user }]).found).toContain("user in vault.sqlite");
    expect(life.whileRunning.found).toEqual([]);
    expect(afterwards.found).toEqual([]);
  });

  it("would give away each secret that was written to any of them", async () => {
    const life = await liveThrough();
    const planted = mkdtempSync(join(life.folder, "planted-"));
    const places = life.secrets.map(({ name, value }, index) => {
      const file = `${index}-${basename(life.whileRunning.files[index % life.whileRunning.files.length] ?? "")}`;
      appendFileSync(join(planted, file), value);
      return `${name} in ${file}`;
    });
    expect(searchFolder(planted, life.secrets).found).toEqual(expect.arrayContaining(places));
    appendFileSync(join(life.profile.folder, "vault.sqlite"), clientSecret);
    expect(searchFolder(life.profile.folder, life.secrets).found).toEqual(["client secret in vault.sqlite"]);
  });

  it("hold none even if whole requests, answers and addresses were logged, at every level", async () => {
    const life = await liveThrough();
    const folder = mkdtempSync(join(life.folder, "log-"));
    const log = createLog({ folder, level: "info" });
    for (const { url, request, authorization, answer } of life.exchanges) {
      for (const text of [`${url}?${request}`, request, `Authorization: ${authorization}`, answer, life.authorizationUrl]) {
        log.info(text, { text, [text]: text });
        log.warn(text, { text });
        log.error(text, Object.assign(new Error(text, { cause: text }), { code: text, body: text }));
      }
    }
    log.close();
    const lines = readFileSync(log.path, "utf8").split("\n");
    for (const level of ["info", "warn", "error"]) {
      expect(lines.filter((line) => line.includes(`"level":"${level}"`))).toHaveLength(life.exchanges.length * 5);
    }
    expect(searchFolder(folder, life.secrets)).toEqual({ files: ["dms-connect.log"], found: [] });
  });
});
