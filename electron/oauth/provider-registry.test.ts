import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtInProviders } from "./provider-registry.ts";

/** Typed out from the providers' own documents, so that a slip in a definition shows. */
const documented = {
  mazda: {
    id: "mazda",
    name: "Mazda",
    environments: {
      acceptance: {
        authorizationEndpoint: "https://mappsacc.mazdaeur.com/oauth/authorize",
        tokenEndpoint: "https://mappsacc.mazdaeur.com/oauth/token",
      },
      production: {
        authorizationEndpoint: "https://mapps.mazdaeur.com/oauth/authorize",
        tokenEndpoint: "https://mapps.mazdaeur.com/oauth/token",
      },
    },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    issuerCheck: "never",
    expiresIn: "seconds-or-epoch",
    deadGrantErrors: ["invalid_grant", "invalid_request"],
    grantLifetime: { kind: "estimate", days: 21 },
    keepAliveDays: 7,
    revocation: "none",
    organisationHeader: "X-mazda-org",
  },
  webfleet: {
    id: "webfleet",
    name: "Webfleet",
    environments: {
      production: {
        authorizationEndpoint: "https://login.webfleet.com/auth/realms/webfleet/protocol/openid-connect/auth",
        tokenEndpoint: "https://login.webfleet.com/auth/realms/webfleet/protocol/openid-connect/token",
        revocationEndpoint: "https://login.webfleet.com/auth/realms/webfleet/protocol/openid-connect/revoke",
        jwksUri: "https://login.webfleet.com/auth/realms/webfleet/protocol/openid-connect/certs",
        issuer: "https://login.webfleet.com/auth/realms/webfleet",
      },
    },
    clientAuthentication: "basic",
    basicEncoding: "form",
    pkce: true,
    defaultScope: "offline_access",
    issuerCheck: "when-present",
    expiresIn: "seconds",
    deadGrantErrors: ["invalid_grant"],
    grantLifetime: { kind: "refresh_expires_in", idleDays: 30 },
    keepAliveDays: 7,
    revocation: "rfc7009",
  },
};

describe("the built-in providers", () => {
  it.each(Object.entries(documented))("define %s as its documents say", (id, expected) => {
    expect(builtInProviders.find((provider) => provider.id === id)).toEqual(expected);
  });

  it("are one for each file in providers/", () => {
    const files = readdirSync(new URL("./providers", import.meta.url)).filter((name) => !name.endsWith(".test.ts"));
    expect(builtInProviders.map((provider) => `${provider.id}.ts`)).toEqual(files.sort());
  });

  it("use https only, and name a revocation endpoint exactly when they can revoke", () => {
    for (const provider of builtInProviders) {
      for (const endpoints of Object.values(provider.environments)) {
        for (const url of Object.values(endpoints)) expect(url).toMatch(/^https:\/\//);
        expect(endpoints.revocationEndpoint !== undefined).toBe(provider.revocation === "rfc7009");
      }
    }
  });
});
