import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSecretField, scrubError, scrubText } from "./redaction.ts";

const secretBytes = fc.uint8Array({ minLength: 18, maxLength: 96 }).map((bytes) => Buffer.from(bytes));
const secret = fc.oneof(
  secretBytes.map((bytes) => bytes.toString("base64url")),
  secretBytes.map((bytes) => bytes.toString("hex")),
  secretBytes.map((bytes) => bytes.toString("base64")),
  fc.uuid(),
  fc.tuple(secretBytes, secretBytes).map(([header, body]) => `eyJ${header.toString("base64url")}.${body.toString("base64url")}.sig`),
);
/** Shorter than what is caught by its looks: only its place tells. */
const shortSecret = fc.stringMatching(/^[A-Za-z0-9._~-]{6,20}$/);

describe("scrubbing", () => {
  it("leaves no long random text, wherever it stands", () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(" ", '"', "'", "=", ": ", "(", "\n", "/path/", "x@"), (token, before) => {
        expect(scrubText(`request failed${before}${token} at the provider`)).not.toContain(token);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves no secret whose place gives it away, however short", () => {
    const places: readonly ((text: string) => string)[] = [
      (text) => `Authorization: Bearer ${text}`,
      (text) => `authorization header was Basic ${text}`,
      (text) => `DPoP ${text}`,
      (text) => `http://127.0.0.1:5000/callback?code=${text}&state=x`,
      (text) => `GET /callback?x=1&state=${text} HTTP/1.1`,
      (text) => `GET /callback?session_hint=${text} HTTP/1.1`,
      (text) => `https://idp.example/path#${text}`,
      (text) => `https://idp.example/path?${text}`,
      (text) => `https://user:${text}@idp.example/path`,
      (text) => `grant_type=refresh_token&refresh_token=${text}`,
      (text) => `{"refresh_token":"${text}","expires_in":300}`,
      (text) => `{"code": "${text}"}`,
      (text) => `code=${text}`,
      (text) => `state = ${text}`,
      (text) => `client_secret: ${text}`,
      (text) => `accessToken=${text}`,
      (text) => `{ clientKey: '${text}' }`,
      (text) => `code_verifier=${text}`,
    ];
    fc.assert(
      fc.property(shortSecret, fc.constantFrom(...places), (text, place) => {
        // A marker no surrounding text holds.
        const marked = `Q${text}Q`;
        expect(scrubText(place(marked))).not.toContain(marked);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws and never makes a text longer without end", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20_000 }), (text) => {
        expect(scrubText(text).length).toBeLessThan(8_001 * 12);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    "authorization_unsupported_response_type",
    "listening on dms-connect-1000.sock",
    "port_in_use: 53682",
    "    at openDatabase (file:///opt/dms-connect/electron/vault/database.ts:31:12)",
    "mazda/production/mmd10030.johndoe",
    "connect ECONNREFUSED 127.0.0.1:443",
    "https://idp.example/auth/realms/dealer/protocol/openid-connect/token",
    "vault.damaged-20261122-143005.sqlite",
    "code: ECONNRESET",
  ])("keeps what helps: %s", (text) => {
    expect(scrubText(text)).toBe(text);
  });

  it("keeps the address and drops the query", () => {
    expect(scrubText("GET https://idp.example/auth?client_id=a&state=b failed")).toBe("GET https://idp.example/auth?[redacted] failed");
  });

  it("cuts what is too long for a log", () => {
    expect(scrubText("word ".repeat(10_000)).length).toBeLessThan(8_100);
  });

  it("knows secret fields by their name", () => {
    const secrets = ["accessToken", "refresh_token", "clientSecret", "client_key", "Authorization", "codeVerifier", "password"];
    expect(secrets.filter((name) => !isSecretField(name))).toEqual([]);
    expect(["provider", "state", "code", "user", "outcome", "tokenType"].filter(isSecretField)).toEqual([]);
  });
});

describe("errors", () => {
  const token = randomBytes(32).toString("base64url");

  it("keep name, code and a scrubbed message and stack", () => {
    const error = Object.assign(new TypeError(`bad token ${token}`), { code: "ERR_INVALID" });
    const scrubbed = scrubError(error);
    expect(scrubbed).toMatchObject({ name: "TypeError", code: "ERR_INVALID", message: "bad token [redacted]" });
    expect(scrubbed.stack).toContain("redaction.test.ts");
    expect(JSON.stringify(scrubbed)).not.toContain(token);
  });

  it("lose cause and every other field", () => {
    const error = Object.assign(new Error("failed", { cause: { body: token } }), { body: token, response: { token } });
    expect(Object.keys(scrubError(error)).sort()).toEqual(["message", "name", "stack"]);
  });

  it.each([[undefined], [null], [5], [{ token }], [Symbol("x")]])("that are none are named by their type: %o", (thrown) => {
    expect(scrubError(thrown)).toEqual({ name: typeof thrown, message: "" });
  });

  it("that are text are scrubbed", () => {
    expect(scrubError(`oh ${token}`)).toEqual({ name: "string", message: "oh [redacted]" });
  });
});
