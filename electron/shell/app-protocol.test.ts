import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAppFileHandler } from "./app-protocol.ts";

describe("the app's files", () => {
  let folder = "";
  let answer: (request: Request) => Promise<Response>;
  const get = (path: string, init?: RequestInit): Promise<Response> => answer(new Request(`app://dms-connect${path}`, init));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dms-connect-protocol-"));
    const root = join(folder, "renderer");
    await mkdir(join(root, "assets"), { recursive: true });
    await mkdir(join(folder, "renderer-old"));
    await writeFile(join(root, "index.html"), '<meta nonce="__CSP_NONCE__"><style nonce="__CSP_NONCE__"></style>');
    await writeFile(join(root, "assets/index.js"), "export {};");
    await writeFile(join(root, "assets/notes.exe"), "MZ");
    await writeFile(join(folder, "secret.json"), "{}");
    await writeFile(join(folder, "renderer-old/old.js"), "old");
    answer = createAppFileHandler(root);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("serves the page under a policy that allows its own files only, with one nonce a load", async () => {
    const [first, second] = [await get("/index.html"), await get("/index.html")];
    expect(first.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = first.headers.get("content-security-policy") ?? "";
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(Buffer.from(nonce, "base64")).toHaveLength(16);
    expect(policy.replace(nonce, "N")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-N'; img-src 'self' data:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await first.text()).toBe(`<meta nonce="${nonce}"><style nonce="${nonce}"></style>`);
    expect(second.headers.get("content-security-policy")).not.toBe(policy);
  });

  it("serves scripts with their type and without sniffing", async () => {
    const response = await get("/assets/index.js?v=1#top");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it.each([
    ["a missing file", "/nothing.js"],
    ["the folder itself", "/"],
    ["a folder", "/assets"],
    ["a type it does not know", "/assets/notes.exe"],
    ["a file above the folder", "/../secret.json"],
    ["an encoded way up", "/%2e%2e/secret.json"],
    ["an encoded separator", "/..%2fsecret.json"],
    ["an encoded backslash", "/..%5csecret.json"],
    ["a neighbour whose name begins like the folder's", "/..%2frenderer-old/old.js"],
    ["a NUL", "/index.html%00.js"],
    ["an address that cannot be decoded", "/%ff.js"],
  ])("answers 404, with the policy, to %s", async (_what, path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("answers 404 to another host, and 405 to another method", async () => {
    expect((await answer(new Request("app://elsewhere/index.html"))).status).toBe(404);
    expect((await get("/index.html", { method: "POST" })).status).toBe(405);
  });
});
