/** What the scripted broker says: results and refusals as the real one words them. */
import type { Call, ErrorData } from "./scripted-broker.ts";

export const provider = "mazda";
export const user = "mmd10030.johndoe";

/** The result of `token.get`. */
export function tokenResult(accessToken: string, tokenId = "t-1") {
  return {
    accessToken,
    tokenType: "Bearer",
    tokenId,
    expiresAt: Math.floor(Date.now() / 1000) + 300,
    expiresInSeconds: 300,
    headers: { Authorization: `Bearer ${accessToken}`, "X-mazda-org": "10030/MMD" },
  };
}

/** Answers `token.get`; anything else a client may like to ask is answered too, so that nothing else holds it up. */
export function onTokenGet(answer: (call: Call) => void): (call: Call) => void {
  return (call) => {
    if (call.method === "token.get") return answer(call);
    if (call.method === "events.subscribe") return call.result({ sequence: 0, connections: [] });
    if (call.method === "connection.list") return call.result({ connections: [] });
    if (call.method === "broker.status") return call.result({ version: "0.0.0", protocol: 1, vault: "open", providers: [] });
    call.refuse(refusal("invalid_request", { detail: "method_unknown", message: "The conformance kit does not answer this method." }));
  };
}

/** What the broker tells programs that follow events when it ends. */
export const shuttingDownEvent = {
  jsonrpc: "2.0",
  method: "event",
  params: { sequence: 2, type: "shutting_down", retryAfterSeconds: 600 },
};

const usual: Readonly<Record<string, Pick<ErrorData, "message" | "remedy" | "retryable">>> = {
  not_connected: {
    message: "mmd10030.johndoe is not connected to Mazda.",
    remedy: "Open DMS Connect and click Connect for Mazda.",
    retryable: false,
  },
  reconnect_required: { message: "Mazda has ended the sign-in.", remedy: "Open DMS Connect and click Reconnect.", retryable: false },
  rate_limited: { message: "Too many requests.", remedy: "Wait and try again.", retryable: true },
  provider_unavailable: {
    message: "Mazda cannot be reached.",
    remedy: "Wait a moment and try again. The connection is kept.",
    retryable: true,
  },
  shutting_down: { message: "DMS Connect is closing.", remedy: "Start DMS Connect and try again.", retryable: true },
};

/** Error data of the broker; what is not given is as usual for the word. */
export function refusal(code: string, data: Partial<ErrorData> = {}): ErrorData {
  const texts = usual[code] ?? { message: "The request was refused.", remedy: "Ask your DMS vendor.", retryable: false };
  return { code, detail: code, ...texts, ...data };
}
