/** A minimal OAuth client for the stand-ins' own tests. Invariant: it sends exactly what the providers' documents say, plus PKCE. */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { type BasicCredentialsEncoding, basicCredentialsHeader } from "./client-credentials.ts";
import { answerConsent } from "./consent-client.ts";
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";
import type { RegisteredClient } from "./provider-contract.ts";

export const macs7: RegisteredClient = {
  clientId: "A0A10300-C967-9400-3559-7B5F1C5552AD",
  clientSecret: "s3cret: 100% + ä",
  redirectUris: ["https://127.0.0.1:8080/dms/oauth/code"],
  applicationName: "MACS7",
};

const tokenBodySchema = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.unknown().optional(),
});
/** `refresh_token` is empty when none was sent. */
export type Tokens = z.infer<typeof tokenBodySchema> & { readonly refresh_token: string };

export interface TestServer {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly certificatePem?: string;
}

export interface TestClientOptions {
  readonly registration?: RegisteredClient;
  readonly redirectUri?: string;
  readonly scope?: string;
  readonly encoding?: BasicCredentialsEncoding;
}

/** The parts of one sign-in, each of which a test may change. */
export class TestClient {
  readonly codeVerifier = randomBytes(32).toString("base64url");
  readonly state = randomBytes(16).toString("base64url");
  readonly redirectUri: string;
  readonly #server: TestServer;
  readonly #options: TestClientOptions;
  readonly #registration: RegisteredClient;

  constructor(server: TestServer, options: TestClientOptions = {}) {
    this.#server = server;
    this.#options = options;
    this.#registration = options.registration ?? macs7;
    this.redirectUri = options.redirectUri ?? this.#registration.redirectUris[0] ?? "";
  }

  /** The authorization URL; `changes` with an empty value leave a parameter out. */
  authorizeUrl(changes: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(this.#server.authorizeUrl);
    const parameters = {
      client_id: this.#registration.clientId,
      response_type: "code",
      state: this.state,
      redirect_uri: this.redirectUri,
      scope: this.#options.scope ?? "",
      code_challenge: createHash("sha256").update(this.codeVerifier).digest("base64url"),
      code_challenge_method: "S256",
      ...changes,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== "") url.searchParams.set(name, value);
    return url;
  }

  /** Approves or refuses and returns the callback URL. */
  consent(decision: "approve" | "refuse", changes: Readonly<Record<string, string>> = {}, userId?: string): Promise<URL> {
    const { certificatePem } = this.#server;
    return answerConsent(this.authorizeUrl(changes), { decision, certificatePem, ...(userId === undefined ? {} : { userId }) });
  }

  /** Posts to the token endpoint with HTTP Basic, unless `headers` say otherwise. */
  post(form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<LoopbackResponse> {
    return requestLoopback(this.#server.tokenUrl, {
      certificatePem: this.#server.certificatePem,
      headers: headers ?? { Authorization: basicCredentialsHeader(this.#registration, this.#options.encoding) },
      form,
    });
  }

  exchange(code: string, changes: Readonly<Record<string, string>> = {}): Promise<LoopbackResponse> {
    return this.post({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.redirectUri,
      code_verifier: this.codeVerifier,
      ...changes,
    });
  }

  refresh(refreshToken: string): Promise<LoopbackResponse> {
    return this.post({ grant_type: "refresh_token", refresh_token: refreshToken });
  }

  /** A whole sign-in. */
  async connect(userId?: string): Promise<Tokens> {
    const callback = await this.consent("approve", {}, userId);
    return tokensOf(await this.exchange(callback.searchParams.get("code") ?? ""));
  }
}

/** The tokens of a successful answer; throws with the status alone otherwise. */
export function tokensOf(response: LoopbackResponse): Tokens {
  if (response.status !== 200) throw new Error(`the token endpoint answered ${response.status}`);
  const tokens = tokenBodySchema.parse(JSON.parse(response.text));
  return { ...tokens, refresh_token: tokens.refresh_token ?? "" };
}

/** The `error` of an OAuth error answer (RFC 6749 section 5.2). */
export function errorOf(response: LoopbackResponse): string {
  return z.looseObject({ error: z.string() }).parse(JSON.parse(response.text)).error;
}
