/** The C library against the whole broker: real pipe, real vault, a stand-in provider. */
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { writeCredentials } from "../node/credentials-file.ts";
import { connectedUser, startConnectedBroker } from "../testing/connected-broker.ts";
import { compiler, temporaryFolder, useLibrary } from "./testing/c-library.ts";

const { provider, user } = connectedUser;
const onUnix = process.platform !== "win32";

describe.skipIf(compiler === undefined)("the C library", () => {
  const { driver, session } = useLibrary();

  describe("with the real broker", () => {
    it("pairs, stores its credentials, and gets the token the broker holds, with its headers", async () => {
      const { profile, app, accessToken } = await startConnectedBroker();
      const file = path.join(temporaryFolder(), "new", "folders", "credentials.json");
      const program = driver();
      await program.ask("open", profile.pipe);
      const { pairingCode, pairingSeconds } = await program.ask("pair-start", "C program", "Example Vendor", "To test");
      const [prompt] = app.broker.pairings.list();
      expect(prompt).toMatchObject({ name: "C program", publisher: "Example Vendor", reason: "To test", code: pairingCode });
      expect(pairingSeconds).toBeGreaterThan(0);
      expect(await program.ask("pair-wait", "0")).toMatchObject({ result: 100, code: "" });
      expect(await program.ask("token", provider, user)).toMatchObject({ result: 3, detail: "session_not_authenticated" });
      await app.broker.pairings.approve(prompt?.pairingId ?? "", { users: "all", providers: "all" });
      const paired = await program.ask("pair-wait", "60000");
      expect(paired).toMatchObject({ result: 0, clientId: app.broker.programs.list().at(-1)?.clientId });
      expect(await program.ask("save", file)).toMatchObject({ result: 0 });
      expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ clientId: paired.clientId, clientKey: paired.clientKey });
      expect(await readdir(path.dirname(file))).toEqual(["credentials.json"]);
      expect(onUnix ? (await stat(file)).mode & 0o777 : 0o600).toBe(0o600);

      const token = await accessToken();
      const got = await program.ask("token", provider, user, "production", "10030/MMD", "30");
      expect(got).toMatchObject({ result: 0, accessToken: token, tokenType: "Bearer" });
      expect(got.headers).toContain(`Authorization: Bearer ${token}\r\n`);
      expect(got.headers).toContain("X-mazda-org: 10030/MMD\r\n");
      expect(Math.abs(got.expiresAt - Date.now() / 1000 - got.expiresIn)).toBeLessThan(10);

      const later = driver();
      await later.ask("open", profile.pipe);
      expect(await later.ask("authenticate-with-file", file)).toMatchObject({ result: 0 });
      expect(await later.ask("token", provider, user)).toMatchObject({ result: 0, accessToken: token });
    });

    it("takes a token together with the proof", async () => {
      const { profile, credentials, accessToken, restart } = await startConnectedBroker();
      const file = path.join(temporaryFolder(), "credentials.json");
      await writeCredentials(file, credentials);
      const program = driver();
      expect(await program.ask("open", profile.pipe)).toMatchObject({ result: 0 });
      expect(await program.ask("load", file)).toMatchObject({ result: 0, clientId: credentials.clientId });
      for (let count = 0; count < 2; count += 1) {
        expect(await program.ask("token", provider, user)).toMatchObject({ result: 0, accessToken: await accessToken() });
      }
      await restart();
      expect(await program.ask("token", provider, "nobody")).toMatchObject({ result: 5, code: "not_connected" });
      expect(await program.ask("token", provider, user)).toMatchObject({ result: 0, accessToken: await accessToken() });
    });

    it("is told when the person denies, and can ask again", async () => {
      const { profile, app } = await startConnectedBroker();
      const program = driver();
      await program.ask("open", profile.pipe);
      await program.ask("pair-start", "C program", "-", "-");
      app.broker.pairings.deny(app.broker.pairings.list()[0]?.pairingId ?? "");
      expect(await program.ask("pair-wait", "60000")).toMatchObject({ result: 3, code: "not_paired", detail: "pairing_denied" });
      const again = await program.ask("pair-start", "C program", "-", "-");
      expect(again).toMatchObject({ result: 9, code: "rate_limited", detail: "pairing_paused", retryable: 1, pairingCode: "" });
      expect(again.retryAfter).toBeGreaterThan(0);
    });

    it("reports a 401 and gets another token", async () => {
      const { profile, credentials, accessToken } = await startConnectedBroker();
      const program = await session(profile.pipe, credentials);
      const old = await program.ask("token", provider, user);
      const renewed = await program.ask("rejected", provider, user);
      expect(renewed).toMatchObject({ result: 0, accessToken: await accessToken() });
      expect(renewed.accessToken).not.toBe(old.accessToken);
      expect(renewed.tokenId).not.toBe(old.tokenId);
    });

    it("lists connections, tells the broker's status, and forgets a connection", async () => {
      const { profile, credentials } = await startConnectedBroker();
      const program = await session(profile.pipe, credentials);
      expect(JSON.parse((await program.ask("list")).answer)).toMatchObject({ connections: [{ provider, user, state: "Active" }] });
      expect(JSON.parse((await program.ask("get", provider, user)).answer)).toMatchObject({ provider, user, state: "Active" });
      expect(JSON.parse((await program.ask("status")).answer)).toMatchObject({ protocol: 1, vault: "open" });
      expect(await program.ask("forget", provider, user)).toMatchObject({ result: 0, answer: "{}" });
      expect(await program.ask("token", provider, user)).toMatchObject({ result: 5, code: "not_connected", accessToken: "", headers: "" });
    });

    it("notices that it was removed, and sends nothing of value any more", async () => {
      const { profile, app, credentials } = await startConnectedBroker();
      const program = await session(profile.pipe, credentials);
      await app.broker.programs.remove(credentials.clientId);
      expect(await program.ask("token", provider, user)).toMatchObject({ result: 13, code: "broker_not_genuine" });
    });

    it("connects again by itself after the app was restarted", async () => {
      const { profile, credentials, accessToken, restart } = await startConnectedBroker();
      const program = await session(profile.pipe, credentials);
      await program.ask("token", provider, user);
      await restart();
      expect(await program.ask("token", provider, user)).toMatchObject({ result: 0, accessToken: await accessToken() });
      expect(await program.ask("revoke", provider, user)).toMatchObject({ detail: "revocation_unsupported" });
    });
  });

  it("computes the test vectors of the document, all of them", async () => {
    expect(await driver().ask("self-test")).toMatchObject({ result: 0 });
    const document = readFileSync(path.join(import.meta.dirname, "../../docs/pipe-protocol.md"), "utf8");
    const table = document.slice(document.indexOf("### Test vectors"), document.indexOf("## Methods"));
    const values = [...table.matchAll(/^\| [^|]+ \| `([^`]+)` \|$/gm)].map(([, value = ""]) => value);
    expect(values.length).toBeGreaterThanOrEqual(9);
    const source = readFileSync(path.join(import.meta.dirname, "dms_connect.c"), "utf8");
    // The key's bytes are 0 to 31: the source computes that row.
    expect(values.filter((value) => !source.includes(value))).toEqual(["000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"]);
  });
});
