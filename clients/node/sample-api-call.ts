/** One GET to a provider's API, the way a DMS program makes it. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/**
 * Sends a GET and reads the answer to its end.
 *
 * @param headers from `token.get`, as they are
 * @param ca trusted root in PEM, for test servers; the system's own roots if absent
 * @returns the HTTP status; rejects with the system's error if nobody answers
 */
export function getWithHeaders(url: URL, headers: Readonly<Record<string, string>>, ca?: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { headers: { ...headers }, timeout: 30_000, ...(ca === undefined ? {} : { ca }) };
    const request = url.protocol === "http:" ? requestHttp(url, options) : requestHttps(url, options);
    request.on("response", (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("timeout", () => request.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })));
    request.on("error", reject);
    request.end();
  });
}
