import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { TransferSeal } from "./ports.ts";
import { settled } from "./testing/fake-clock.ts";
import { mazdaKey, registrationInput, webfleetKey } from "./testing/records.ts";
import { codeOf, createWorld, valueOf, World } from "./testing/world.ts";
import type { TransferContents, TransferredConnection } from "./transfer-contents.ts";
import { VaultTransfer } from "./vault-transfer.ts";

const passphrase = "correct horse battery staple";
const attempt = { attemptId: "a", startedAtMs: 0 };
const janeKey = { ...mazdaKey, user: "mmd10030.janedoe" };

/** Seals nothing: what would be in the file is read as it is. */
const openSeal: TransferSeal = {
  checkPassphrase: (given) => (given.length < 8 ? failure("vault_passphrase_weak", { least: 8 }) : undefined),
  seal: async (contents, given) => ok(JSON.stringify({ given, contents })),
  open: async (text, given) => {
    const file: unknown = JSON.parse(text);
    // The text of `seal` above.
    const { given: right, contents } = file as { readonly given: string; readonly contents: TransferContents };
    return given === right ? ok(contents) : err(failure("vault_passphrase_wrong"));
  },
};

function transferOf(world: World): VaultTransfer {
  return new VaultTransfer({
    vault: world.vault,
    connections: world.connections,
    registrations: world.registrations,
    clock: world.clock,
    seal: openSeal,
    refreshSettled: (live) => world.broker.refreshSettled(live),
  });
}

/** A computer on which DMS Connect was just installed. */
async function newComputer(): Promise<World> {
  const { vault, clock } = await createWorld();
  vault.registrations.clear();
  const world = new World({ vault, clock });
  valueOf(await world.registrations.open());
  return world;
}

async function exported(world: World, includeSignIns: boolean): Promise<string> {
  return valueOf(await transferOf(world).exportAll({ passphrase, includeSignIns })).text;
}

async function exportedConnections(world: World, includeSignIns: boolean): Promise<readonly TransferredConnection[]> {
  return valueOf(await openSeal.open(await exported(world, includeSignIns), passphrase)).connections;
}

function imported(world: World, text: string) {
  return transferOf(world).importAll(text, passphrase);
}

/** The text of a file with these contents. */
async function fileWith(contents: Partial<TransferContents>): Promise<string> {
  return valueOf(await openSeal.seal({ exportedAtMs: 0, registrations: [], connections: [], ...contents }, passphrase));
}

function stateOf(world: World, key = mazdaKey): string | undefined {
  return world.vault.stored(key)?.state.kind;
}

describe("an export", () => {
  it("refuses a weak passphrase before it reads anything", async () => {
    const world = await createWorld();
    world.vault.calls.length = 0;
    expect(codeOf(await transferOf(world).exportAll({ passphrase: "short", includeSignIns: false }))).toBe("vault_passphrase_weak");
    expect(world.vault.calls).toEqual([]);
  });

  it("holds no token unless the person asked for sign-ins", async () => {
    const world = await createWorld();
    const { accessToken, refreshToken } = world.storeActive(mazdaKey);
    const without = await exported(world, false);
    const withSignIns = await exported(world, true);
    for (const token of [accessToken, refreshToken ?? "?"]) {
      expect([without.includes(token), withSignIns.includes(token)]).toEqual([false, true]);
    }
  });

  it("tells how much it holds", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    world.store(webfleetKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Webfleet" }) });
    const { text: _text, ...counts } = valueOf(await transferOf(world).exportAll({ passphrase, includeSignIns: true }));
    expect(counts).toEqual({ registrations: 2, connections: 2, withSignIn: 1 });
  });

  it("never holds a connection that is being revoked or forgotten", async () => {
    const world = await createWorld();
    world.store(webfleetKey, { kind: "Revoking", grant: world.newGrant() });
    world.storeActive(mazdaKey);
    valueOf(await world.connections.load(mazdaKey)).ending = true;
    expect(await exportedConnections(world, true)).toEqual([]);
  });

  it("waits for a refresh under way and takes what it brings", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey, { accessTokenExpiresAtMs: world.clock.nowMs() });
    const token = world.token(mazdaKey);
    await settled();
    const exporting = exportedConnections(world, true);
    await settled();
    world.oauth.refreshes.last.answer({ kind: "rotated", grant: world.newGrant() });
    await token;
    expect((await exporting)[0]?.signIn).toMatchObject({ kind: "Active", grant: { refreshToken: world.newGrant().refreshToken ?? "" } });
  });

  it("says of a refresh whose answer was lost that it is in doubt", async () => {
    const world = await createWorld();
    const grant = world.newGrant();
    world.store(mazdaKey, { kind: "Refreshing", grant, attempt });
    world.store(webfleetKey, { kind: "InDoubt", grant, attempt });
    const signIns = (await exportedConnections(world, true)).map(({ signIn }) => signIn);
    expect(signIns).toEqual([
      { kind: "InDoubt", grant, attempt },
      { kind: "InDoubt", grant, attempt },
    ]);
  });

  it("takes a connection whose record cannot be read without its sign-in", async () => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    world.vault.unreadable.add("mazda/production/mmd10030.johndoe");
    expect(await exportedConnections(world, true)).toEqual([{ key: mazdaKey, connectedAtMs: world.clock.nowMs() }]);
  });

  it.each(["listConnections", "readConnection", "readRegistration"] as const)("fails as a whole when %s fails", async (operation) => {
    const world = await createWorld();
    world.storeActive(mazdaKey);
    world.vault.fail(operation);
    expect(codeOf(await transferOf(world).exportAll({ passphrase, includeSignIns: false }))).toBe("vault_write_failed");
  });
});

describe("an import on a new computer", () => {
  it("brings the registrations with their secrets, and the connections to reconnect", async () => {
    const old = await createWorld();
    old.store(mazdaKey, { kind: "Active", grant: old.newGrant() }, "10030/MMD");
    const text = await exported(old, false);
    const world = await newComputer();
    await world.clock.advance(60_000);
    expect(valueOf(await imported(world, text))).toEqual({ registrations: 2, connections: 1, withSignIn: 0, skipped: 0 });
    expect(world.registrations.list()).toEqual(old.registrations.list());
    expect(valueOf(await world.registrations.resolve("mazda", "production")).clientSecret).toBe("client-secret");
    expect(world.vault.stored(mazdaKey)).toEqual({
      key: mazdaKey,
      organisation: "10030/MMD",
      connectedAtMs: old.vault.stored(mazdaKey)?.connectedAtMs,
      generation: 1,
      state: { kind: "ReconnectRequired", failure: failure("connection_moved", { provider: "Mazda" }) },
    });
    expect(await world.token(mazdaKey)).toBe("connection_moved");
  });

  it("brings sign-ins that work at once, and those in doubt as such", async () => {
    const old = await createWorld();
    const grant = old.storeActive(mazdaKey);
    old.store(webfleetKey, { kind: "InDoubt", grant, attempt });
    const text = await exported(old, true);
    const world = await newComputer();
    expect(valueOf(await imported(world, text))).toMatchObject({ connections: 2, withSignIn: 2 });
    expect(await world.token(mazdaKey)).toBe(grant.accessToken);
    expect(world.vault.stored(webfleetKey)?.state).toEqual({ kind: "InDoubt", grant, attempt });
  });

  it("tells the window of each change", async () => {
    const old = await createWorld();
    old.storeActive(mazdaKey);
    const text = await exported(old, false);
    const world = await newComputer();
    const announced: number[] = [];
    world.registrations.onChanged((views) => announced.push(views.length));
    valueOf(await imported(world, text));
    expect(announced).toEqual([2]);
    expect(world.views.map(({ state, failure }) => [state, failure?.code])).toEqual([["ReconnectRequired", "connection_moved"]]);
  });
});

describe("an import where something is already", () => {
  it("leaves registrations and connections as they are, and counts them", async () => {
    const old = await createWorld();
    old.storeActive(mazdaKey);
    old.storeActive(janeKey);
    const text = await exported(old, true);
    const world = await createWorld();
    valueOf(await world.registrations.save([registrationInput({ clientSecret: "own secret" })]));
    world.store(mazdaKey, { kind: "ReconnectRequired", failure: failure("grant_dead", { provider: "Mazda" }) });
    expect(valueOf(await imported(world, text))).toEqual({ registrations: 0, connections: 1, withSignIn: 1, skipped: 3 });
    expect(valueOf(await world.registrations.resolve("mazda", "production")).clientSecret).toBe("own secret");
    expect([stateOf(world), stateOf(world, janeKey)]).toEqual(["ReconnectRequired", "Active"]);
  });

  it("does not disturb a sign-in that is under way", async () => {
    const old = await createWorld();
    old.storeActive(mazdaKey);
    const text = await exported(old, true);
    const world = await createWorld();
    valueOf(await world.connectFlow.start(mazdaKey, undefined));
    expect(valueOf(await imported(world, text))).toMatchObject({ connections: 0, skipped: 3 });
    expect((await world.view(mazdaKey)).state).toBe("Connecting");
  });

  it("takes a connection the vault can no longer read, and clears its notice", async () => {
    const old = await createWorld();
    const grant = old.storeActive(mazdaKey);
    const text = await exported(old, true);
    const world = await createWorld();
    world.storeActive(mazdaKey);
    world.vault.unreadable.add("mazda/production/mmd10030.johndoe");
    expect((await world.view(mazdaKey)).failure?.code).toBe("grant_unreadable");
    expect(valueOf(await imported(world, text))).toMatchObject({ connections: 1 });
    expect(await world.view(mazdaKey)).toMatchObject({ state: "Active" });
    expect((await world.view(mazdaKey)).failure).toBeUndefined();
    expect(await world.token(mazdaKey)).toBe(grant.accessToken);
  });

  it("takes the first of two that are the same", async () => {
    const world = await newComputer();
    const connection = (connectedAtMs: number): TransferredConnection => ({ key: mazdaKey, connectedAtMs });
    const text = await fileWith({ connections: [connection(1), connection(2)] });
    expect(valueOf(await imported(world, text))).toMatchObject({ connections: 1, skipped: 1 });
    expect(world.vault.stored(mazdaKey)?.connectedAtMs).toBe(1);
  });

  it("skips what this version has no provider or environment for", async () => {
    const { clientSecret: _secret, ...registration } = registrationInput();
    const entry = (provider: string) => ({
      registration: { ...registration, provider, environment: "acceptance" as const, hasClientSecret: true },
      clientSecret: "s",
    });
    const connection = (provider: string): TransferredConnection => ({
      key: { ...mazdaKey, provider, environment: "acceptance" },
      connectedAtMs: 0,
    });
    const providers = ["acme", "webfleet"];
    const text = await fileWith({ registrations: providers.map(entry), connections: providers.map(connection) });
    const world = await newComputer();
    expect(valueOf(await imported(world, text))).toEqual({ registrations: 0, connections: 0, withSignIn: 0, skipped: 4 });
    expect([world.vault.connections.size, world.registrations.list()]).toEqual([0, []]);
  });
});

describe("an import that fails", () => {
  const nothingStored = (world: World, result: Result<unknown>) => [
    codeOf(result),
    world.vault.connections.size,
    world.vault.registrations.size,
  ];

  it("changes nothing when the passphrase is wrong", async () => {
    const old = await createWorld();
    old.storeActive(mazdaKey);
    const text = await exported(old, true);
    const world = await newComputer();
    const result = await transferOf(world).importAll(text, "another passphrase");
    expect(nothingStored(world, result)).toEqual(["vault_passphrase_wrong", 0, 0]);
  });

  it("changes nothing when a registration would not be accepted from a person either", async () => {
    const { clientSecret: _secret, ...registration } = registrationInput({ redirectUris: ["https://evil.test/callback"] });
    const text = await fileWith({
      registrations: [{ registration: { ...registration, hasClientSecret: true }, clientSecret: "s" }],
      connections: [{ key: mazdaKey, connectedAtMs: 0 }],
    });
    const world = await newComputer();
    expect(nothingStored(world, await imported(world, text))).toEqual(["registration_invalid", 0, 0]);
  });

  it("is taken up where it stopped when the same file is imported again", async () => {
    const old = await createWorld();
    old.storeActive(mazdaKey);
    old.storeActive(janeKey);
    const text = await exported(old, true);
    const world = await newComputer();
    const repair = world.vault.fail("commitConnection");
    expect(codeOf(await imported(world, text))).toBe("vault_write_failed");
    repair();
    expect(valueOf(await imported(world, text))).toEqual({ registrations: 0, connections: 2, withSignIn: 2, skipped: 2 });
    expect([stateOf(world), stateOf(world, janeKey)]).toEqual(["Active", "Active"]);
  });
});
