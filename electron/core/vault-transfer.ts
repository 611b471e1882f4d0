/**
 * Moves registrations and connections from one computer to another, through one file that a passphrase seals.
 *
 * Invariants: what this computer has already is never replaced; a connection without its sign-in arrives as one to
 * reconnect; a sign-in that is being ended leaves in no file. An import that fails midway loses nothing and is taken up
 * where it stopped when the same file is imported again.
 */
import { type Failure, failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { connectionId, type Environment, type VaultImportView } from "../../shared/views.ts";
import { type StoredState, servableGrant } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import type { LiveConnection } from "./live-connection.ts";
import type { Clock, StoredConnectionSummary, TransferSeal, Vault } from "./ports.ts";
import type { Registrations } from "./registrations.ts";
import type { TransferredConnection, TransferredRegistration, TransferredSignIn } from "./transfer-contents.ts";

export interface VaultTransferDeps {
  readonly vault: Pick<Vault, "listConnections" | "readRegistration">;
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly clock: Clock;
  readonly seal: TransferSeal;
  /** Settles when no refresh of this connection is under way: its answer would spend the token that is exported. */
  readonly refreshSettled: (live: LiveConnection) => Promise<void>;
}

export interface ExportOptions {
  readonly passphrase: string;
  /** Whether tokens go with the connections. */
  readonly includeSignIns: boolean;
}

/** A finished export and what is in it. */
export interface ExportedTransfer {
  /** The whole file. */
  readonly text: string;
  readonly registrations: number;
  readonly connections: number;
  /** How many of `connections` carry their sign-in. */
  readonly withSignIn: number;
}

export type ImportCounts = Omit<VaultImportView, "cancelled">;

export class VaultTransfer {
  readonly #deps: VaultTransferDeps;

  constructor(deps: VaultTransferDeps) {
    this.#deps = deps;
  }

  /** `vault_passphrase_weak` for one that must not seal an export, so that it is refused before anything else is asked. */
  checkPassphrase(passphrase: string): Failure | undefined {
    return this.#deps.seal.checkPassphrase(passphrase);
  }

  /** Collects and seals everything. Fails with `vault_passphrase_weak` or a `vault_*` code of what could not be read. */
  async exportAll({ passphrase, includeSignIns }: ExportOptions): Promise<Result<ExportedTransfer>> {
    const weak = this.checkPassphrase(passphrase);
    if (weak !== undefined) return err(weak);
    const registrations = await this.#collectRegistrations();
    if (!registrations.ok) return registrations;
    const connections = await this.#collectConnections(includeSignIns);
    if (!connections.ok) return connections;
    const contents = {
      exportedAtMs: this.#deps.clock.nowMs(),
      registrations: registrations.value,
      connections: connections.value,
    };
    const sealed = await this.#deps.seal.seal(contents, passphrase);
    if (!sealed.ok) return sealed;
    return ok({
      text: sealed.value,
      registrations: registrations.value.length,
      connections: connections.value.length,
      withSignIn: connections.value.filter(({ signIn }) => signIn !== undefined).length,
    });
  }

  /**
   * Takes in what this computer lacks. Registrations are checked as typed ones are, and stored all or none, before any
   * connection. A provider or environment this version does not know is skipped. Fails with `vault_passphrase_wrong`,
   * `vault_transfer_unreadable`, `vault_transfer_newer`, `registration_invalid` or a `vault_*` code of what could not be written.
   */
  async importAll(text: string, passphrase: string): Promise<Result<ImportCounts>> {
    const opened = await this.#deps.seal.open(text, passphrase);
    if (!opened.ok) return opened;
    const registrations = firstOfEach(opened.value.registrations, registrationId).filter(({ registration }) => this.#lacks(registration));
    const saved = await this.#saveRegistrations(registrations);
    if (!saved.ok) return saved;
    const taken = { withSignIn: 0, toReconnect: 0 };
    for (const connection of firstOfEach(opened.value.connections, ({ key }) => connectionId(key))) {
      const outcome = await this.#takeConnection(connection);
      if (!outcome.ok) return outcome;
      if (outcome.value !== "skipped") taken[outcome.value] += 1;
    }
    const connections = taken.withSignIn + taken.toReconnect;
    const offered = opened.value.registrations.length + opened.value.connections.length;
    return ok({
      registrations: registrations.length,
      connections,
      withSignIn: taken.withSignIn,
      skipped: offered - registrations.length - connections,
    });
  }

  async #collectRegistrations(): Promise<Result<readonly TransferredRegistration[]>> {
    const collected: TransferredRegistration[] = [];
    for (const { provider, environment } of this.#deps.registrations.list()) {
      const read = await this.#deps.vault.readRegistration(provider, environment);
      if (!read.ok) return read;
      if (read.value !== undefined) collected.push(read.value);
    }
    return ok(collected);
  }

  async #collectConnections(includeSignIns: boolean): Promise<Result<readonly TransferredConnection[]>> {
    const listed = await this.#deps.vault.listConnections();
    if (!listed.ok) return listed;
    const collected: TransferredConnection[] = [];
    for (const summary of listed.value) {
      const loaded = await this.#deps.connections.load(summary.key);
      if (!loaded.ok) return loaded;
      await this.#deps.refreshSettled(loaded.value);
      const exported = exportedConnection(summary, loaded.value, includeSignIns);
      if (exported !== undefined) collected.push(exported);
    }
    return ok(collected);
  }

  #lacks({ provider, environment }: { readonly provider: string; readonly environment: Environment }): boolean {
    return this.#knows(provider, environment) && !this.#deps.registrations.isRegistered(provider, environment);
  }

  #knows(provider: string, environment: Environment): boolean {
    return this.#deps.registrations.provider(provider)?.environments[environment] !== undefined;
  }

  async #saveRegistrations(registrations: readonly TransferredRegistration[]): Promise<Result<undefined>> {
    if (registrations.length === 0) return ok();
    return this.#deps.registrations.save(
      registrations.map(({ registration: { hasClientSecret: _shown, ...registration }, clientSecret }) => ({
        ...registration,
        clientSecret,
      })),
    );
  }

  async #takeConnection(connection: TransferredConnection): Promise<Result<"skipped" | "withSignIn" | "toReconnect">> {
    const { connections, registrations } = this.#deps;
    const { key, organisation, connectedAtMs, signIn } = connection;
    if (!this.#knows(key.provider, key.environment)) return ok("skipped");
    const loaded = await connections.load(key);
    if (!loaded.ok) return loaded;
    const live = loaded.value;
    if (live.record !== undefined || live.overlay?.kind === "Connecting") return ok("skipped");
    const moved = failure("connection_moved", { provider: registrations.describe(key).name });
    const state: StoredState = signIn ?? { kind: "ReconnectRequired", failure: moved };
    const committed = await connections.commit(live, 0, state, { organisation, connectedAtMs });
    // A sign-in that was finished here in the meantime is newer than the file.
    if (!committed.ok) return committed.error.code === "vault_conflict" ? ok("skipped") : committed;
    // How an earlier Connect failed, or that a damaged record could not be read, is over.
    if (live.overlay?.kind === "ConnectFailed") connections.setOverlay(live, undefined);
    return ok(signIn === undefined ? "toReconnect" : "withSignIn");
  }
}

/** The audit log's word for an export. */
export function exportAction(includeSignIns: boolean): string {
  return includeSignIns ? "vault.export.with-sign-ins" : "vault.export";
}

/** The audit log's word for an import. */
export function importAction(broughtSignIns: boolean): string {
  return broughtSignIns ? "vault.import.with-sign-ins" : "vault.import";
}

/** `undefined` for a connection that is being ended. One whose record cannot be read goes without its sign-in. */
function exportedConnection(
  summary: StoredConnectionSummary,
  live: LiveConnection,
  includeSignIns: boolean,
): TransferredConnection | undefined {
  const { record } = live;
  if (live.ending || (record?.state.kind ?? summary.stateKind) === "Revoking") return undefined;
  const { key, organisation, connectedAtMs } = record ?? summary;
  const signIn = includeSignIns && record !== undefined ? signInOf(record.state) : undefined;
  return {
    key,
    ...(organisation === undefined ? {} : { organisation }),
    connectedAtMs,
    ...(signIn === undefined ? {} : { signIn }),
  };
}

function signInOf(state: StoredState): TransferredSignIn | undefined {
  const grant = servableGrant(state);
  if (grant === undefined) return undefined;
  // A refresh that is not settled here may have spent the token: the other computer has to know.
  return "attempt" in state ? { kind: "InDoubt", grant, attempt: state.attempt } : { kind: "Active", grant };
}

function registrationId({ registration }: TransferredRegistration): string {
  return `${registration.provider}/${registration.environment}`;
}

function firstOfEach<T>(values: readonly T[], idOf: (value: T) => string): readonly T[] {
  const first = new Map<string, T>();
  for (const value of values) if (!first.has(idOf(value))) first.set(idOf(value), value);
  return [...first.values()];
}
