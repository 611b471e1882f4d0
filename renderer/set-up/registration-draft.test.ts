import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { RegistrationView } from "../../shared/views.ts";
import { draftProblems, failedField, registrationDraft, registrationInput } from "./registration-draft.ts";

const stored: RegistrationView = {
  provider: "mazda",
  environment: "acceptance",
  clientId: "key",
  hasClientSecret: true,
  redirectUris: ["https://127.0.0.1:8080/dms/oauth/code"],
  organisations: ["10030/MMD"],
  scope: "dms",
  clientAuthentication: "body",
  basicEncoding: "raw",
  pkce: false,
  endpoints: { tokenEndpoint: "https://mazda.example/token" },
};

describe("a registration that is edited", () => {
  it("is sent as it was stored when nothing was typed, and keeps its secret", () => {
    const { hasClientSecret: _stored, ...unchanged } = stored;
    expect(registrationInput("mazda", "acceptance", registrationDraft(stored))).toEqual(unchanged);
  });

  it("leaves out what is empty, so that the provider's own values hold", () => {
    const draft = { ...registrationDraft(undefined), clientId: " key ", redirectUris: "\n http://127.0.0.1/cb \r\n\n" };
    expect(registrationInput("webfleet", "production", draft)).toEqual({
      provider: "webfleet",
      environment: "production",
      clientId: "key",
      redirectUris: ["http://127.0.0.1/cb"],
      organisations: [],
    });
  });

  it("sends a secret exactly as typed", () => {
    expect(registrationInput("mazda", "acceptance", { ...registrationDraft(stored), clientSecret: " a:b%ä " }).clientSecret).toBe(
      " a:b%ä ",
    );
  });
});

describe("what is checked while typing", () => {
  const complete = registrationDraft(stored);

  it("finds nothing wrong with a complete registration", () => {
    expect(draftProblems(complete)).toEqual({});
  });

  it("asks for the client id and a redirect URI", () => {
    expect(draftProblems(registrationDraft(undefined))).toEqual({
      clientId: { kind: "clientIdMissing" },
      redirectUris: { kind: "redirectUrisMissing" },
    });
  });

  it("names the redirect URI that is none", () => {
    expect(draftProblems({ ...complete, redirectUris: "https://127.0.0.1/cb\nnot a uri" })).toEqual({
      redirectUris: { kind: "redirectUriInvalid", uri: "not a uri" },
    });
  });

  it("refuses an endpoint without https, except on this computer", () => {
    const endpoints = { tokenEndpoint: "http://mazda.example/token", jwksUri: "http://127.0.0.1:9000/certs", issuer: "javascript:1" };
    expect(draftProblems({ ...complete, endpoints })).toEqual({
      tokenEndpoint: { kind: "addressInvalid" },
      issuer: { kind: "addressInvalid" },
    });
  });
});

describe("a save that was refused", () => {
  const problem = { kind: "fromMain", problem: "is too long" };

  it.each([
    ["clientId", "clientId"],
    ["redirectUris.0", "redirectUris"],
    ["endpoints.tokenEndpoint", "tokenEndpoint"],
    ["registrations[0].scope", "scope"],
  ])("is shown for %s at the field %s", (path, field) => {
    expect(failedField(failure("registration_invalid", { field: path, problem: "is too long" }))).toEqual({ field, problem });
  });

  it("is about no field when the form has none of that name, or when it failed otherwise", () => {
    expect(failedField(failure("registration_invalid", { field: "colour", problem: "is too long" }))).toBeUndefined();
    expect(failedField(failure("vault_write_failed", { problem: "disk full" }))).toBeUndefined();
  });
});
