import { describe, expect, it } from "vitest";
import type { ProviderEndpoints, RegistrationInput } from "../../shared/views.ts";
import { checkRegistration } from "./registration-check.ts";
import { mazda, registrationInput, webfleet } from "./testing/records.ts";

/** The field that is wrong, or `ok`. */
function check(changes: Partial<RegistrationInput>): string {
  const problem = checkRegistration(registrationInput(changes), mazda);
  return problem === undefined ? "ok" : `${problem.code} ${problem.params["field"]}`;
}
const redirect = (...redirectUris: string[]) => check({ redirectUris });
const endpoint = (url: string, name: keyof ProviderEndpoints = "tokenEndpoint") => check({ endpoints: { [name]: url } });

describe("a registration", () => {
  it("passes when everything makes sense", () => {
    expect(check({})).toBe("ok");
  });

  it("needs a client id, a secret that is not empty and a redirect URI", () => {
    expect(check({ clientId: "  " })).toBe("registration_invalid clientId");
    expect(check({ clientSecret: "" })).toBe("registration_invalid clientSecret");
    expect(redirect()).toBe("registration_invalid redirectUris");
  });

  it("must be for an environment the provider has", () => {
    const problem = checkRegistration(registrationInput({ provider: "webfleet", environment: "acceptance" }), webfleet);
    expect(problem).toMatchObject({ code: "registration_invalid", params: { field: "environment" } });
  });
});

describe("a redirect URI", () => {
  it.each([
    "http://127.0.0.1:8310/callback",
    "https://localhost:443/",
    "http://[::1]:1/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:65535/",
  ])("may be %s", (uri) => {
    expect(redirect(uri)).toBe("ok");
  });

  it.each([
    "http://192.168.1.4:8310/callback",
    "http://127.0.0.1.evil.test/callback",
    "http://localhost.evil.test/callback",
    "http://127.0.0.1@evil.test/callback",
    "http://127.0.0.1:8310@evil.test/callback",
    "http://127.0.0.1\\.evil.test/callback",
    "http://[::2]:8310/callback",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:65536/callback",
    "http://127.0.0.1:8310/callback?next=1",
    "http://127.0.0.1:8310/callback#part",
    "http://127.0.0.1:8310",
    "dms-connect://callback",
    "",
  ])("may not be %s", (uri) => {
    expect(redirect(uri)).toBe("registration_invalid redirectUris");
  });

  it("is checked even when an earlier one is right", () => {
    expect(redirect("http://127.0.0.1:8310/callback", "http://evil.test/callback")).toBe("registration_invalid redirectUris");
  });
});

describe("an endpoint", () => {
  it.each([
    "https://id.mazda.test/token",
    "https://id.mazda.test:8443/token?realm=1",
    "http://127.0.0.1:9000/token",
    "http://localhost/token",
    "http://[::1]:9000/token",
  ])("may be %s", (url) => {
    expect(endpoint(url)).toBe("ok");
  });

  it.each([
    "http://id.mazda.test/token",
    "http://127.0.0.1.evil.test/token",
    "http://127.0.0.1\\.evil.test/token",
    "https://user:password@id.mazda.test/token",
    "https://id.mazda.test/token#part",
    "https://id.mazda.test:70000/token",
    "https:// /token",
    "https://id mazda.test/token",
    "ftp://id.mazda.test/token",
    "id.mazda.test",
  ])("may not be %s", (url) => {
    expect(endpoint(url)).toBe("registration_invalid endpoints.tokenEndpoint");
  });

  it("is checked whichever it is", () => {
    expect(endpoint("http://mazda.test/screens", "grantScreensUrl")).toBe("registration_invalid endpoints.grantScreensUrl");
  });
});
