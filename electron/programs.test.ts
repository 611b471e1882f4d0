/** What an administrator decides about programs, through a real pipe, a real vault and real files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectToBroker } from "../clients/node/dms-connect-client.ts";
import { startConnectedBroker } from "../clients/testing/connected-broker.ts";
import type { AccessPolicy } from "../shared/views.ts";
import { provider as mazda } from "./oauth/providers/mazda.ts";
import { RawClient } from "./pipe/testing/raw-client.ts";
import {
  type ComposedBroker,
  newProfile,
  openBroker,
  openSession,
  pairProgram,
  type TestProfile,
  valueOf,
} from "./testing/composed-broker.ts";

const user = { provider: "mazda", user: "joe" } as const;
const everything: AccessPolicy = { users: "all", providers: "all" };
const credentials = { clientId: "dealer-dms", clientKey: Buffer.alloc(32, 5).toString("base64url") };
const managed = { ...credentials, name: "Dealer DMS", users: "all", providers: "all" };

function fileIn(profile: TestProfile, name: string, content: unknown): string {
  const file = join(profile.folder, name);
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return file;
}

/** What is told about programs; the vault has things of its own to tell on such a computer. */
function noticesOf({ status }: ComposedBroker): readonly string[] {
  return status().notices.flatMap(({ code }) => (code.startsWith("vault_") ? [] : [code]));
}

/** A program's request to be paired, and how it ended. */
async function askToPair(profile: TestProfile, name: string, onCode: () => void = () => undefined) {
  const client = valueOf(await connectToBroker({ pipe: profile.pipe }));
  const paired = await client.pair({ name, onCode });
  client.close();
  return paired.ok ? "ok" : `${paired.error.code}/${paired.error.detail}`;
}

/** A connection that says to be `clientId` and cannot prove it. */
async function failToProve(pipe: string, clientId: string): Promise<void> {
  const client = await RawClient.connect(pipe);
  await client.hello(clientId);
  await client.ask("session.authenticate", { proof: "wrong" });
  await client.closed;
}

describe("access that an administrator changes", () => {
  it("ends the program's sessions, and the next one has the new access", async () => {
    const { app, profile, credentials: paired } = await startConnectedBroker();
    const session = await openSession(profile, paired);
    valueOf(await session.tokenGet(user));
    valueOf(await app.broker.programs.changeAccess(paired.clientId, { ...everything, users: ["somebody else"] }));
    await session.closed;
    const next = await openSession(profile, paired);
    expect(await next.tokenGet(user)).toMatchObject({ ok: false, error: { code: "not_permitted" } });
  });

  it("ends by its date, and the program is then unknown like any stranger", async () => {
    const { app, profile, credentials: paired } = await startConnectedBroker();
    const session = await openSession(profile, paired);
    valueOf(await app.broker.programs.changeAccess(paired.clientId, { ...everything, untilMs: Date.now() - 1 }));
    await session.closed;
    expect(await connectToBroker({ pipe: profile.pipe, credentials: paired })).toMatchObject({
      ok: false,
      error: { detail: "broker_not_genuine" },
    });
    valueOf(await app.broker.programs.changeAccess(paired.clientId, everything));
    valueOf(await (await openSession(profile, paired)).tokenGet(user));
  });

  it("holds a program to its requests a minute, and leaves the others alone", async () => {
    const { app, profile, credentials: paired } = await startConnectedBroker();
    const other = await pairProgram(profile, app.broker, "Another DMS");
    valueOf(await app.broker.programs.changeAccess(paired.clientId, { ...everything, requestsPerMinute: 3 }));
    const session = await openSession(profile, paired);
    const answers = await Promise.all(Array.from({ length: 5 }, () => session.tokenGet(user)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
    expect(answers.at(-1)).toMatchObject({ error: { code: "rate_limited", detail: "program_rate_limited", retryAfterSeconds: 20 } });
    valueOf(await (await openSession(profile, other)).tokenGet(user));
  });

  it("stays through a restart", async () => {
    const { app, profile, credentials: paired, restart } = await startConnectedBroker();
    const access = { users: ["joe"], providers: ["mazda"], untilMs: Date.now() + 60_000, requestsPerMinute: 10 };
    valueOf(await app.broker.programs.changeAccess(paired.clientId, access));
    const before = app.broker.programs.list();
    await restart();
    valueOf(await (await openSession(profile, paired)).tokenGet(user));
    expect(before).toMatchObject([{ clientId: paired.clientId, access, origin: "paired" }]);
  });
});

describe("the audit log", () => {
  it("tells of every grant and refusal, with program, provider, user and outcome", async () => {
    const { app, profile, credentials: paired } = await startConnectedBroker();
    const session = await openSession(profile, paired);
    await session.tokenGet(user);
    await session.tokenGet({ ...user, user: "nobody" });
    await session.tokenGet({ provider: "unknown", user: "joe" });
    await app.broker.programs.changeAccess(paired.clientId, { ...everything, users: ["nobody"] });
    await session.closed;
    await (await openSession(profile, paired)).tokenGet(user);
    for (let time = 0; time < 100; time += 1) await failToProve(profile.pipe, `invented-${time}`);
    await failToProve(profile.pipe, paired.clientId);
    const stranger = valueOf(await connectToBroker({ pipe: profile.pipe }));
    expect(await stranger.tokenGet(user)).toMatchObject({ error: { code: "not_paired" } });
    stranger.close();
    expect(
      await askToPair(profile, "Denied DMS", () => void app.broker.pairings.deny(app.broker.pairings.list()[0]?.pairingId ?? "")),
    ).toBe("not_paired/pairing_denied");
    expect(await askToPair(profile, "Denied DMS")).toBe("rate_limited/pairing_paused");
    const { rows } = valueOf(await app.broker.auditLog.pageAudit({ limit: 200 }));
    const told = rows.map(({ action, actor, actorName, provider, user: whose, outcome }) =>
      [action, actor === paired.clientId ? "program" : actor, actorName ?? "-", provider ?? "-", whose ?? "-", outcome].join(" "),
    );
    expect(told).toEqual(
      expect.arrayContaining([
        "session program Test DMS - - ok",
        "session program Test DMS - - not_paired",
        "session unknown - - invented-0 not_paired",
        "token.get program Test DMS mazda joe ok",
        "token.get program Test DMS mazda nobody not_connected",
        "token.get program Test DMS unknown joe provider_unknown",
        "token.get program Test DMS mazda joe not_permitted",
        `pairing window Test DMS - ${paired.clientId} ok`,
        "pairing window Denied DMS - - pairing_denied",
        "pairing broker Denied DMS - - pairing_paused",
      ]),
    );
    expect(told.filter((row) => row.startsWith("session unknown"))).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(paired.clientKey);
  });
});

describe("a program that was blocked", () => {
  it("is refused over the pipe without a prompt, also after a restart", async () => {
    const profile = newProfile();
    const app = await openBroker(profile, mazda);
    const { pairings } = app.broker;
    const block = () => void pairings.block(pairings.list()[0]?.pairingId ?? "");
    expect(await askToPair(profile, "Wild DMS", block)).toBe("not_paired/pairing_denied");
    await app.close();
    const again = await openBroker(profile, mazda);
    expect(await askToPair(profile, "Wild DMS")).toBe("not_permitted/pairing_blocked");
    expect(again.broker.pairings.list()).toEqual([]);
  });
});

describe("programs that are set up without a prompt", () => {
  it("come from a program file, all or none, and stay", async () => {
    const profile = newProfile();
    const file = fileIn(profile, "programs.json", { version: 1, programs: [managed] });
    const app = await openBroker(profile, mazda, { args: [`--import-programs=${file}`] });
    expect(noticesOf(app)).toEqual([]);
    valueOf(await (await openSession(profile, credentials)).brokerStatus());
    await app.close();
    const again = await openBroker(profile, mazda, { args: [`--import-programs=${fileIn(profile, "bad.json", { version: 1 })}`] });
    expect(noticesOf(again)).toEqual(["program_file_unreadable"]);
    expect(again.broker.programs.list()).toMatchObject([{ clientId: "dealer-dms", origin: "imported" }]);
  });

  it("come from the computer's policy, which also forbids asking, and go with it", async () => {
    const profile = newProfile();
    const policy = fileIn(profile, "policy.json", { version: 1, pairing: "forbidden", programs: [managed] });
    const app = await openBroker(profile, mazda, { policyFiles: [policy] });
    expect(app.status().pairing).toBe("forbidden");
    valueOf(await (await openSession(profile, credentials)).brokerStatus());
    expect(await askToPair(profile, "Another DMS")).toBe("not_permitted/pairing_forbidden");
    expect(await app.broker.importPrograms(JSON.stringify({ version: 1, programs: [managed] }))).toMatchObject({
      error: { code: "program_managed" },
    });
    await app.close();
    await openBroker(profile, mazda);
    expect(await connectToBroker({ pipe: profile.pipe, credentials })).toMatchObject({ error: { detail: "broker_not_genuine" } });
  });

  it("are not served, and nobody may ask, while the policy cannot be used", async () => {
    const profile = newProfile();
    const policy = fileIn(profile, "policy.json", { version: 1, programs: [managed], pairin: "forbidden" });
    const app = await openBroker(profile, mazda, { policyFiles: [policy] });
    expect([app.status().pairing, noticesOf(app)]).toEqual(["forbidden", ["policy_unreadable"]]);
    expect(JSON.stringify(app.status())).not.toContain(credentials.clientKey);
    expect(await askToPair(profile, "Another DMS")).toBe("not_permitted/pairing_forbidden");
  });
});
