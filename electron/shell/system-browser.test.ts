import { describe, expect, it } from "vitest";
import { createSystemBrowser } from "./system-browser.ts";

describe("the system browser", () => {
  it.each(["https://idp.example/authorize?state=s", "http://127.0.0.1:8080/start", "http://localhost/", "http://[::1]:8080/"])(
    "opens %s",
    async (url) => {
      const opened: string[] = [];
      const browser = createSystemBrowser({ openExternal: async (address) => void opened.push(address) });
      expect(await browser.open(url)).toEqual({ ok: true, value: undefined });
      expect(opened).toEqual([url]);
    },
  );

  it.each([
    "http://idp.example/authorize",
    "http://127.0.0.1.evil.example/",
    "http://localhost.evil.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "ms-msdt:/id",
    "not a url",
  ])("does not hand %s to the system", async (url) => {
    const opened: string[] = [];
    const browser = createSystemBrowser({ openExternal: async (address) => void opened.push(address) });
    expect(await browser.open(url)).toMatchObject({ ok: false, error: { code: "browser_not_opened" } });
    expect(opened).toEqual([]);
  });

  it("says that no browser opened, without repeating the address", async () => {
    const browser = createSystemBrowser({ openExternal: (url) => Promise.reject(new Error(`cannot open ${url}`)) });
    const result = await browser.open("https://idp.example/authorize?state=very-secret");
    expect(result).toMatchObject({ ok: false, error: { code: "browser_not_opened" } });
    expect(JSON.stringify(result)).not.toContain("very-secret");
  });
});
