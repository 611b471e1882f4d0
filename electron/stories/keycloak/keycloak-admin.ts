/**
 * What a story does to a Keycloak behind the broker's back, through its admin REST API. Invariant: each call signs in anew, since
 * an administrator's token lives a minute.
 */
import { z } from "zod";
import { requestLoopback } from "../../../e2e/providers/loopback-request.ts";

export interface KeycloakAdmin {
  /** How long access tokens live that the realm issues from now on. */
  readonly setTokenLifeSeconds: (seconds: number) => Promise<void>;
  /** Ends whatever the user has granted to the client, offline tokens included. */
  readonly withdrawConsent: (userName: string, clientId: string) => Promise<void>;
}

const tokenAnswer = z.looseObject({ access_token: z.string() });
const usersAnswer = z.array(z.looseObject({ id: z.string(), username: z.string() }));

/**
 * @param baseUrl with the relative path, such as `http://127.0.0.1:8180/auth`
 * @param credentials `name:password` of an administrator of the `master` realm
 */
export function keycloakAdmin(baseUrl: string, realm: string, credentials: string): KeycloakAdmin {
  const call = async (method: "GET" | "PUT" | "DELETE", path: string, body?: object): Promise<unknown> => {
    const authorization = `Bearer ${await signIn(baseUrl, credentials)}`;
    const response = await fetch(`${baseUrl}/admin/realms/${realm}${path}`, {
      method,
      headers: { Authorization: authorization, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`Keycloak's admin API answered ${response.status} to ${method} ${path}`);
    return response.status === 200 ? response.json() : undefined;
  };
  return {
    setTokenLifeSeconds: async (seconds) => void (await call("PUT", "", { accessTokenLifespan: seconds })),
    withdrawConsent: async (userName, clientId) => {
      const query = new URLSearchParams({ username: userName, exact: "true" });
      const [user] = usersAnswer.parse(await call("GET", `/users?${query.toString()}`));
      if (user === undefined) throw new Error("the realm does not know the story's user");
      await call("DELETE", `/users/${user.id}/consents/${encodeURIComponent(clientId)}`);
    },
  };
}

async function signIn(baseUrl: string, credentials: string): Promise<string> {
  const colon = credentials.indexOf(":");
  const { status, text } = await requestLoopback(`${baseUrl}/realms/master/protocol/openid-connect/token`, {
    form: {
      grant_type: "password",
      client_id: "admin-cli",
      username: credentials.slice(0, colon),
      password: credentials.slice(colon + 1),
    },
  });
  if (status !== 200) throw new Error(`Keycloak refused the administrator with ${status}`);
  return tokenAnswer.parse(JSON.parse(text)).access_token;
}
