import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { failureCatalogue } from "../../shared/failure-catalogue.ts";
import { errorNumbers, jsonRpcError } from "./json-rpc-errors.ts";
import { pipeLimits } from "./pipe-limits.ts";

const document = readFileSync(new URL("../../docs/pipe-protocol.md", import.meta.url), "utf8");

describe("the document", () => {
  it("lists every error word with its number, and no other", () => {
    const rows = [...document.matchAll(/^\| `([a-z_]+)` \| (-32\d+) \|/gm)].map(([, word, number]) => [word, Number(number)]);
    expect(Object.fromEntries(rows)).toEqual(errorNumbers);
  });

  it("names only details that exist", () => {
    const details = [...document.matchAll(/\((?:detail )?`([a-z_]+)`/g)].map(([, word]) => word ?? "");
    expect(details.length).toBeGreaterThan(5);
    expect(details.filter((word) => !Object.hasOwn(failureCatalogue, word))).toEqual([]);
  });

  it.each([
    ["65,536 bytes", pipeLimits.maxMessageBytes === 65_536],
    ["up to 8 MiB", pipeLimits.maxAnswerBytes === 8 * 1024 * 1024],
    ["| 256 |", pipeLimits.maxPendingRequests === 256],
    ["| 64 |", pipeLimits.maxSessionsPerProgram === 64],
    ["| 1,024 |", pipeLimits.maxSessions === 1024],
    ["| 5 s;", pipeLimits.authenticationMs === 5_000],
    ["10 minutes", pipeLimits.idleMs === 600_000],
    ["16 MiB, or 30 s", pipeLimits.maxUnsentBytes === 16 * 1024 * 1024 && pipeLimits.stalledWriteMs === 30_000],
  ])("states the limit %s as it is", (text, agrees) => {
    expect(document).toContain(text);
    expect(agrees).toBe(true);
  });
});

describe("an error", () => {
  it("has the standard's number where there is one, else that of its word", () => {
    expect(jsonRpcError(failure("method_unknown", { method: "x" })).code).toBe(-32601);
    expect(jsonRpcError(failure("message_invalid", { problem: "x" })).code).toBe(-32602);
    expect(jsonRpcError(failure("message_invalid", { problem: "x" }), -32700).code).toBe(-32700);
    expect(jsonRpcError(failure("grant_dead", { provider: "Mazda" })).code).toBe(-32003);
  });

  it("that the app closes always says when to come back", () => {
    expect(jsonRpcError(failure("shutting_down")).data).toMatchObject({ code: "shutting_down", retryAfterSeconds: 5 });
    expect(jsonRpcError(failure("shutting_down", {}, { retryAfterSeconds: 30 })).data.retryAfterSeconds).toBe(30);
    expect(jsonRpcError(failure("grant_dead", { provider: "Mazda" })).data).not.toHaveProperty("retryAfterSeconds");
  });
});
