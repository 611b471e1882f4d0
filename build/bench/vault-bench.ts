/**
 * The vault at 100, 10,000 and 50,000 connections, beside a bare `node:sqlite` file that is written the same bytes.
 *
 * A rotation is what a refresh costs the disk: "refresh in flight" and the new tokens, each one durable commit. Its baseline
 * is two bare durable updates of as many bytes in a table of as many rows. Both are measured in turn, so that a busy disk
 * slows both. The key stores are stand-ins in memory: the operating system's own speed is not the vault's.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ConnectionKey, ConnectionRecord, Grant } from "../../electron/core/connection-state.ts";
import { createConnectionRows } from "../../electron/vault/connection-rows.ts";
import { writeEpochFile } from "../../electron/vault/epoch.ts";
import { openVaultKey } from "../../electron/vault/key-envelopes.ts";
import { createSafeStorageEnvelope } from "../../electron/vault/safe-storage-envelope.ts";
import { FakeCredentialStore, FakeSafeStorage } from "../../electron/vault/testing/fake-key-places.ts";
import { inTransaction } from "../../electron/vault/transaction.ts";
import { type OpenedVault, openVault } from "../../electron/vault/vault.ts";
import { openVaultFile } from "../../electron/vault/vault-file.ts";
import { type BenchReport, percentile, timed } from "./bench-report.ts";

const sizes = [100, 10_000, 50_000] as const;
const rotations = 1_000;
const gets = 2_000;
const openings = 7;
const pageSize = 100;
/** Like Webfleet's: an access token of 1.2 kB and a refresh token of 0.9 kB. */
const accessTokenLength = 1_200;
const refreshTokenLength = 900;

type Figures = Readonly<Record<string, number>>;

export async function benchVault(): Promise<BenchReport> {
  const figures: Figures[] = [];
  for (const connections of sizes) figures.push(await inTemporaryFolder((folder) => measure(folder, connections)));
  return { lines: figures.flatMap(linesOf), figures, targets: targetsOf(figures) };
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dms-connect-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A profile whose key places are in memory. */
class BenchProfile {
  readonly #safeStorage = new FakeSafeStorage();
  readonly #credentialStore = new FakeCredentialStore();
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async open(): Promise<OpenedVault> {
    const opened = await openVault({
      folder: this.folder,
      safeStorage: this.#safeStorage,
      credentialStore: this.#credentialStore,
      nowMs: Date.now,
      platform: "linux",
    });
    if (!opened.ok) throw new Error(opened.error.failure.message);
    return opened.value;
  }

  /** The tables of the closed vault, below the port. */
  async openTables() {
    const { folder } = this;
    const envelopes = [createSafeStorageEnvelope(this.#safeStorage, { platform: "linux", timeoutMs: 5_000 })];
    const key = await openVaultKey({ folder, vaultExists: true, envelopes, nowMs: Date.now });
    if (!key.ok) throw new Error(key.error.failure.message);
    const { vaultId, candidates } = key.value;
    const vaultPath = join(folder, "vault.sqlite");
    const file = openVaultFile({ folder, vaultPath, vaultId, candidates, credentialEpoch: undefined, nowMs: Date.now });
    if (!file.ok) throw new Error(file.error.message);
    const { tables, epoch } = file.value;
    return {
      tables,
      close: () => {
        writeEpochFile(folder, epoch, tables.sealer);
        tables.database.close();
        key.value.wipe();
      },
    };
  }
}

async function measure(folder: string, connections: number): Promise<Figures> {
  const [profile, empty] = [new BenchProfile(join(folder, "profile")), new BenchProfile(join(folder, "empty"))];
  await fill(profile, connections);
  (await empty.open()).close();
  const memoryBefore = memoryInUse();
  const [openTimes = [], openEmptyTimes = []] = await openInTurn(profile, empty);
  const opened = await profile.open();
  const bytesInMemory = memoryInUse() - memoryBefore;
  const listAll = await timed(() => opened.vault.listConnections());
  const listPage = await samples(50, (index) =>
    opened.vault.listConnections({ limit: pageSize, after: keyOf((index * 997) % connections) }),
  );
  const get = await samples(gets, (index) => opened.vault.readConnection(keyOf((index * 7_919) % connections)));
  const { rotate, bare } = await rotateInTurn(opened, join(folder, "bare.sqlite"), connections);
  opened.close();
  return {
    connections,
    openMs: percentile(openTimes, 0.5),
    openEmptyMs: percentile(openEmptyTimes, 0.5),
    listAllMs: listAll,
    listPageP50Ms: percentile(listPage, 0.5),
    getP50Ms: percentile(get, 0.5),
    getP99Ms: percentile(get, 0.99),
    rotateP50Ms: percentile(rotate, 0.5),
    rotateP99Ms: percentile(rotate, 0.99),
    bareP50Ms: percentile(bare, 0.5),
    bareP99Ms: percentile(bare, 0.99),
    fileBytes: statSync(join(profile.folder, "vault.sqlite")).size,
    memoryBytes: bytesInMemory,
  };
}

/** In one transaction, through the vault's own rows: a durable commit for each of them would take minutes. */
async function fill(profile: BenchProfile, connections: number): Promise<void> {
  (await profile.open()).close();
  const { tables, close } = await profile.openTables();
  const rows = createConnectionRows(tables.database, tables.sealer, { ...tables.integrity, changed: () => undefined });
  inTransaction(tables.database, () => {
    for (let number = 0; number < connections; number += 1) rows.replace(recordOf(number, 1, "Active"));
    tables.integrity.adopt();
  });
  close();
}

async function commit({ vault }: OpenedVault, record: ConnectionRecord): Promise<void> {
  const committed = await vault.commitConnection(record);
  if (!committed.ok) throw new Error(committed.error.message);
}

async function openInTurn(...profiles: readonly BenchProfile[]): Promise<readonly (readonly number[])[]> {
  const times = profiles.map((): number[] => []);
  for (let round = 0; round < openings; round += 1) {
    for (const [index, profile] of profiles.entries()) {
      let opened: OpenedVault | undefined;
      times[index]?.push(
        await timed(async () => {
          opened = await profile.open();
        }),
      );
      opened?.close();
    }
  }
  return times;
}

async function samples(count: number, work: (index: number) => unknown): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) times.push(await timed(() => work(index)));
  return times;
}

async function rotateInTurn(opened: OpenedVault, barePath: string, connections: number) {
  const [rotate, bare]: [number[], number[]] = [[], []];
  const update = openBare(barePath, connections);
  const generations = new Map<number, number>();
  for (let round = 0; round < rotations; round += 1) {
    const number = (round * 7_919) % connections;
    const generation = generations.get(number) ?? 1;
    generations.set(number, generation + 2);
    const [inFlight, rotated] = [recordOf(number, generation + 1, "Refreshing"), recordOf(number, generation + 2, "Active")];
    bare.push(await timed(() => [inFlight, rotated].forEach((record) => update.run(JSON.stringify(record), number))));
    rotate.push(
      await timed(async () => {
        await commit(opened, inFlight);
        await commit(opened, rotated);
      }),
    );
  }
  update.close();
  return { rotate, bare };
}

/** The least that a durable update of one row can be: same journal, same flushing, no sealing, no checks. */
function openBare(path: string, connections: number) {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE connection (id INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT; BEGIN");
  const insert = database.prepare("INSERT INTO connection (id, record) VALUES (?, ?)");
  for (let number = 0; number < connections; number += 1) insert.run(number, JSON.stringify(recordOf(number, 1, "Active")));
  database.exec("COMMIT");
  const update = database.prepare("UPDATE connection SET record = ? WHERE id = ?");
  return { run: (record: string, id: number) => update.run(record, id), close: () => database.close() };
}

function keyOf(number: number): ConnectionKey {
  return { provider: "webfleet", environment: "production", user: `mmd10030.user${String(number).padStart(6, "0")}` };
}

function recordOf(number: number, generation: number, kind: "Active" | "Refreshing"): ConnectionRecord {
  const nowMs = Date.now();
  const grant: Grant = {
    accessToken: filler(accessTokenLength, number + generation),
    refreshToken: filler(refreshTokenLength, number - generation),
    scope: "openid offline_access",
    obtainedAtMs: nowMs,
    accessTokenExpiresAtMs: nowMs + 300_000,
    grantExpiresAtMs: nowMs + 86_400_000,
    grantExpiryIsEstimate: true,
  };
  const base = { key: keyOf(number), organisation: "10030/MMD", connectedAtMs: nowMs, generation };
  if (kind === "Active") return { ...base, state: { kind, grant } };
  return { ...base, state: { kind, grant, attempt: { attemptId: `attempt-${number}-${generation}`, startedAtMs: nowMs } } };
}

/** Text of a length that does not compress to nothing. */
function filler(length: number, seed: number): string {
  return `${seed}.`.repeat(Math.ceil(length / 2)).slice(0, length);
}

/** All of the process, SQLite's own memory included; after a collection if Node was started with `--expose-gc`. */
function memoryInUse(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

function linesOf(figures: Figures): readonly string[] {
  const ms = (name: string) => `${(figures[name] ?? Number.NaN).toFixed(3)} ms`;
  const megabytes = (name: string) => `${((figures[name] ?? 0) / 1e6).toFixed(1)} MB`;
  return [
    `${figures["connections"]} connections`,
    `  open to ready   ${ms("openMs")} (an empty vault: ${ms("openEmptyMs")})`,
    `  list            a page of ${pageSize}: ${ms("listPageP50Ms")}, all: ${ms("listAllMs")}`,
    `  get             p50 ${ms("getP50Ms")}, p99 ${ms("getP99Ms")}`,
    `  rotate (synced) p50 ${ms("rotateP50Ms")}, p99 ${ms("rotateP99Ms")}`,
    `  bare writes     p50 ${ms("bareP50Ms")}, p99 ${ms("bareP99Ms")}`,
    `  file            ${megabytes("fileBytes")}, memory while open ${megabytes("memoryBytes")}`,
  ];
}

function targetsOf(figures: readonly Figures[]): BenchReport["targets"] {
  const [small, , large] = figures.map((one) => (name: string) => one[name] ?? Number.NaN);
  if (small === undefined || large === undefined) return [];
  const ratio = large("rotateP50Ms") / large("bareP50Ms");
  const opening = large("openMs") - large("openEmptyMs");
  // From 100 to 50,000 the logarithm grows 2.35 times.
  const logarithmic = Math.log(50_000) / Math.log(100);
  const growth = (name: string) => large(name) / small(name);
  return [
    { what: "rotate p50 at 50,000 beside the bare writes", measured: ratio.toFixed(2), limit: "2.00", met: ratio <= 2 },
    { what: "opening at 50,000 beyond an empty vault", measured: `${opening.toFixed(0)} ms`, limit: "300 ms", met: opening <= 300 },
    ...["getP50Ms", "rotateP50Ms"].map((name) => ({
      what: `growth of ${name.slice(0, -5)} p50 from 100 to 50,000`,
      measured: growth(name).toFixed(2),
      limit: logarithmic.toFixed(2),
      met: growth(name) <= logarithmic,
    })),
  ];
}
