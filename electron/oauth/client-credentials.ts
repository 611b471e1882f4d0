/**
 * How a request proves which client it comes from (RFC 6749 section 2.3.1).
 *
 * The Basic encoding is written here instead of taken from oauth4webapi: that one also escapes `-`,
 * `.` and `_`, which turns an API key such as `A0A10300-C967` into something else for the many servers
 * that never decode. Plain form encoding leaves those characters alone, so both kinds of server agree
 * unless a secret holds characters that need encoding.
 */
import type { ClientAuth } from "oauth4webapi";
import type { BasicEncoding, ClientAuthentication } from "../../shared/views.ts";

/** Puts the credentials of `clientId` on a request, as HTTP Basic or in its form-encoded body. */
export function clientCredentials(method: ClientAuthentication, encoding: BasicEncoding, clientSecret: string): ClientAuth {
  return method === "body" ? inBody(clientSecret) : asBasic(encoding, clientSecret);
}

function inBody(clientSecret: string): ClientAuth {
  return (_server, client, body) => {
    body.set("client_id", client.client_id);
    if (clientSecret !== "") body.set("client_secret", clientSecret);
  };
}

function asBasic(encoding: BasicEncoding, clientSecret: string): ClientAuth {
  const encode = encoding === "form" ? formEncode : (text: string) => text;
  return (_server, client, _body, headers) => {
    const credentials = Buffer.from(`${encode(client.client_id)}:${encode(clientSecret)}`, "utf8").toString("base64");
    headers.set("authorization", `Basic ${credentials}`);
  };
}

/** `application/x-www-form-urlencoded` of one value. */
function formEncode(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice("v=".length);
}
