/**
 * A whole connection's life at a Keycloak whose realm is set up like Webfleet's; README.md says how to start one. The story is
 * the one that is told to the stand-in.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { requestLoopback } from "../../../e2e/providers/loopback-request.ts";
import { provider as webfleet } from "../../oauth/providers/webfleet.ts";
import type { CallApi } from "../desk.ts";
import { type ConsentButtons, hasBrowser, Person } from "../person.ts";
import type { CompleteRegistration } from "../stand-ins.ts";
import { expectedMoral, tellWebfleetStory } from "../webfleet-story.ts";
import { keycloakAdmin } from "./keycloak-admin.ts";

const story = "the story of a connection at a Keycloak realm set up like Webfleet's";
const baseUrl = (process.env["DMS_CONNECT_KEYCLOAK_URL"] ?? "").replace(/\/$/, "");
const adminCredentials = process.env["DMS_CONNECT_KEYCLOAK_ADMIN"] ?? "admin:admin";
const usualLifeSeconds = 3600;

/** What the story needs to know of the realm that is imported. */
const realmSchema = z.looseObject({
  realm: z.string(),
  accessTokenLifespan: z.literal(usualLifeSeconds),
  revokeRefreshToken: z.literal(true),
  refreshTokenMaxReuse: z.literal(0),
  clients: z.tuple([
    z.looseObject({ clientId: z.string(), secret: z.string(), redirectUris: z.array(z.string()), consentRequired: z.literal(true) }),
  ]),
  users: z.tuple([z.looseObject({ username: z.string(), credentials: z.tuple([z.looseObject({ value: z.string() })]) })]),
});
const realm = realmSchema.parse(JSON.parse(readFileSync(new URL("webfleet-realm.json", import.meta.url), "utf8")));
const [client] = realm.clients;
const [user] = realm.users;

/** Ids of Keycloak's login theme, the same in its `keycloak` and `keycloak.v2`. */
const keycloakButtons: ConsentButtons = {
  approve: (page) => page.locator("#kc-oauth #kc-login"),
  refuse: (page) => page.locator("#kc-oauth #kc-cancel"),
};

const issuer = `${baseUrl}/realms/${realm.realm}`;
const oidc = `${issuer}/protocol/openid-connect`;

const registration: CompleteRegistration = {
  provider: "webfleet",
  environment: "production",
  clientId: client.clientId,
  clientSecret: client.secret,
  redirectUris: client.redirectUris,
  organisations: [],
  // `userinfo` stands for the API, and wants `openid`.
  scope: "openid offline_access",
  endpoints: {
    authorizationEndpoint: `${oidc}/auth`,
    tokenEndpoint: `${oidc}/token`,
    revocationEndpoint: `${oidc}/revoke`,
    jwksUri: `${oidc}/certs`,
    issuer,
  },
};

const callUserInfo: CallApi = async (headers) => {
  const { status, text } = await requestLoopback(`${oidc}/userinfo`, { headers });
  const named = z.looseObject({ preferred_username: z.string() });
  return { status, user: status === 200 ? named.parse(JSON.parse(text)).preferred_username : undefined };
};

function hasKeycloak(): boolean {
  if (baseUrl !== "") return hasBrowser(story);
  process.stderr.write(`Not exercised: ${story}. DMS_CONNECT_KEYCLOAK_URL names none; see electron/stories/keycloak/README.md.\n`);
  return false;
}

describe.runIf(hasKeycloak())("a connection at a Keycloak", { timeout: 180_000 }, () => {
  const admin = keycloakAdmin(baseUrl, realm.realm, adminCredentials);
  let person: Person;
  beforeAll(async () => {
    person = await Person.arrive();
  });
  afterAll(async () => {
    await admin.setTokenLifeSeconds(usualLifeSeconds);
    await person.leave();
  });

  it("is refused, made, used, renewed, rotated, lost, made again, rejected and revoked", async () => {
    const moral = await tellWebfleetStory(
      {
        definition: webfleet,
        registration,
        user: { userName: user.username, password: user.credentials[0].value },
        buttons: keycloakButtons,
        callApi: callUserInfo,
        setTokenLifeSeconds: admin.setTokenLifeSeconds,
        letGrantDie: () => admin.withdrawConsent(user.username, client.clientId),
      },
      person,
    );
    expect(moral).toEqual(expectedMoral);
  });
});

describe("the realm for a Keycloak", () => {
  it("takes any loopback port, as the registration of the DMS does", () => {
    expect(client.redirectUris).toEqual(["http://127.0.0.1/webfleet/callback"]);
  });
});
