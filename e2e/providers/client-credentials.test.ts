import { describe, expect, it } from "vitest";
import { basicCredentialsHeader, parseBasicCredentials } from "./client-credentials.ts";

const awkward = { clientId: "id:1", clientSecret: "a b+c%d:ä/=&" };

describe("client credentials by HTTP Basic", () => {
  it("are form-encoded before base64 (RFC 6749 section 2.3.1)", () => {
    const header = basicCredentialsHeader(awkward);
    const pair = Buffer.from(header.slice("Basic ".length), "base64").toString("utf8");
    expect(pair).toBe("id%3A1:a+b%2Bc%25d%3A%C3%A4%2F%3D%26");
    expect(parseBasicCredentials(header, "form-encoded")).toEqual(awkward);
  });

  it("are taken literally when raw is expected", () => {
    const raw = { clientId: "id", clientSecret: awkward.clientSecret };
    expect(parseBasicCredentials(basicCredentialsHeader(raw, "raw"), "raw")).toEqual(raw);
    expect(parseBasicCredentials(basicCredentialsHeader(awkward), "raw")?.clientSecret).not.toBe(awkward.clientSecret);
  });

  it.each([
    ["a missing header", undefined],
    ["another scheme", "Bearer abc"],
    ["no base64", "Basic ***"],
    ["no colon", `Basic ${Buffer.from("id").toString("base64")}`],
    ["a stray percent sign", `Basic ${Buffer.from("id:50%").toString("base64")}`],
    ["broken UTF-8", `Basic ${Buffer.from("id:%E4").toString("base64")}`],
  ])("are absent with %s", (_what, header) => {
    expect(parseBasicCredentials(header, "form-encoded")).toBeUndefined();
  });
});
