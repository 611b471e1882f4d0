import { randomBytes } from "node:crypto";

/** As long as Webfleet's, a JWT: 1,200 characters. */
const accessTokenBytes = 900;

/** A new opaque token of 1.2 kB. */
export function newAccessToken(): string {
  return randomBytes(accessTokenBytes).toString("base64url");
}
