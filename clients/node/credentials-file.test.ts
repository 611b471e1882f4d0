import { chmod, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../electron/pipe/testing/fake-broker.ts";
import { isOpenToOthers, readCredentials, writeCredentials } from "./credentials-file.ts";

const credentials = { clientId: "client-1", clientKey: "key" };
let folder = "";
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the credentials file", () => {
  it("gives back what was written, and leaves no other file", async () => {
    const file = path.join(folder, "new", "credentials.json");
    await writeCredentials(file, { clientId: "old", clientKey: "old" });
    await writeCredentials(file, credentials);
    expect(await readCredentials(file)).toEqual(credentials);
    expect(await readdir(path.dirname(file))).toEqual(["credentials.json"]);
  });

  it.skipIf(process.platform === "win32")("is for its user alone, and it shows when it is not", async () => {
    const file = path.join(folder, "credentials.json");
    await writeCredentials(file, credentials);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await isOpenToOthers(file)).toBe(false);
    await chmod(file, 0o640);
    expect(await isOpenToOthers(file)).toBe(true);
  });

  it.each(["", "{}", "[]", '{"clientId":"a"}', "null"])("counts as missing when it holds %j", async (content) => {
    const file = path.join(folder, "credentials.json");
    await writeFile(file, content);
    expect(await readCredentials(file)).toBeUndefined();
  });
});
