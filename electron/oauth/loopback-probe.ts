/**
 * Asks a just opened listener for its secret word. Windows lets a second program listen on a port that is
 * taken (libuv sets neither SO_REUSEADDR nor SO_EXCLUSIVEADDRUSE), so a successful bind proves nothing.
 * Invariant: true only if this process itself answered.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export interface ProbeTarget {
  readonly scheme: "http" | "https";
  readonly address: string;
  readonly port: number;
  readonly nonce: string;
  /** What only this process can answer to `nonce`. */
  readonly proof: string;
  readonly certificatePem: string | undefined;
}

export type Probe = (target: ProbeTarget) => Promise<boolean>;

/** Loopback answers within a millisecond; a busy machine gets more. */
const timeoutMs = 5_000;

/** The path that carries a probe's nonce. */
export function probePath(nonce: string): string {
  return `/dms-connect/probe/${nonce}`;
}

/** @returns whether `target` answered with the proof */
export const probeListener: Probe = (target) =>
  new Promise((resolve) => {
    const options = { host: target.address, port: target.port, path: probePath(target.nonce), agent: false, timeout: timeoutMs };
    const request =
      target.scheme === "https"
        ? // Only our own certificate will do.
          httpsRequest({ ...options, ca: target.certificatePem ?? [], servername: "" })
        : httpRequest(options);
    request.on("response", (response) => {
      void readStart(response, target.proof.length + 1).then((text) => {
        request.destroy();
        resolve(text === target.proof);
      });
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
    request.on("close", () => resolve(false));
    request.end();
  });

/** Reads no more than it takes to see that an answer is a foreign one. */
async function readStart(response: IncomingMessage, length: number): Promise<string> {
  let text = "";
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length >= length) break;
    }
  } catch {
    return "";
  }
  return text;
}
