/** A vault in memory: the generation checks of the real one, and failures and delays on demand. */
import { type Failure, failure } from "../../../shared/failure.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import { connectionId, type Environment, type RegistrationView } from "../../../shared/views.ts";
import { type ConnectionKey, type ConnectionRecord, servableGrant } from "../connection-state.ts";
import type { AuditEntry, DmsClientRecord, StoredConnectionSummary, Vault } from "../ports.ts";

type Operation = keyof Vault;
type StoredRegistration = { readonly registration: RegistrationView; readonly clientSecret: string };

export class MemoryVault implements Vault {
  readonly connections = new Map<string, ConnectionRecord>();
  /** Ids of records that do not open. */
  readonly unreadable = new Set<string>();
  readonly registrations = new Map<string, StoredRegistration>();
  readonly clients = new Map<string, DmsClientRecord>();
  readonly audit: AuditEntry[] = [];
  /** Every call, in order. */
  readonly calls: Operation[] = [];
  readonly #secrets = new Map<string, string>();
  readonly #failing = new Map<Operation, Failure>();
  readonly #held = new Map<Operation, Promise<void>>();

  /** Makes every call of `operation` fail until the returned function is called. */
  fail(operation: Operation, why: Failure = failure("vault_write_failed", { problem: "disk full" })): () => void {
    this.#failing.set(operation, why);
    return () => this.#failing.delete(operation);
  }

  /** Does what is asked of `operation` at once, but answers only when the returned function is called. */
  hold(operation: Operation): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(operation, promise);
    return () => {
      this.#held.delete(operation);
      resolve();
    };
  }

  async #do<T>(operation: Operation, work: () => Result<T>): Promise<Result<T>> {
    this.calls.push(operation);
    const failing = this.#failing.get(operation);
    const answer = failing === undefined ? work() : err(failing);
    // One database answers its writers in order: a delete never overtakes a commit.
    await (this.#held.get(operation) ?? (operation === "deleteConnection" ? this.#held.get("commitConnection") : undefined));
    return answer;
  }

  listConnections = () => this.#do("listConnections", () => ok([...this.connections.values()].map(summaryOf)));

  readConnection = (key: ConnectionKey) =>
    this.#do("readConnection", () =>
      this.unreadable.has(connectionId(key)) ? err(failure("grant_unreadable", { provider: key.provider })) : ok(this.stored(key)),
    );

  commitConnection = (record: ConnectionRecord) =>
    this.#do<undefined>("commitConnection", () => {
      const id = connectionId(record.key);
      const replacesUnreadable = record.generation === 1 && this.unreadable.has(id);
      if (this.#generation(record.key) !== record.generation - 1 && !replacesUnreadable) return err(failure("vault_conflict"));
      this.unreadable.delete(id);
      this.connections.set(id, record);
      return ok();
    });

  deleteConnection = (key: ConnectionKey, generation: number) =>
    this.#do<undefined>("deleteConnection", () => {
      const id = connectionId(key);
      if (this.#generation(key) !== generation && !this.unreadable.has(id)) return err(failure("vault_conflict"));
      this.unreadable.delete(id);
      this.connections.delete(id);
      return ok();
    });

  listRegistrations = () => this.#do("listRegistrations", () => ok([...this.registrations.values()].map((stored) => stored.registration)));

  readRegistration = (provider: string, environment: Environment) =>
    this.#do("readRegistration", () => ok(this.registrations.get(`${provider}/${environment}`)));

  saveRegistrations = (list: readonly StoredRegistration[]) =>
    this.#do<undefined>("saveRegistrations", () => {
      for (const stored of list) this.registrations.set(`${stored.registration.provider}/${stored.registration.environment}`, stored);
      return ok();
    });

  deleteRegistration = (provider: string, environment: Environment) =>
    this.#do<undefined>("deleteRegistration", () => {
      this.registrations.delete(`${provider}/${environment}`);
      return ok();
    });

  listClients = () => this.#do("listClients", () => ok([...this.clients.values()]));

  saveClient = (client: DmsClientRecord) =>
    this.#do<undefined>("saveClient", () => {
      this.clients.set(client.clientId, client);
      return ok();
    });

  deleteClient = (clientId: string) =>
    this.#do<undefined>("deleteClient", () => {
      this.clients.delete(clientId);
      return ok();
    });

  readSecret = (name: string) => this.#do("readSecret", () => ok(this.#secrets.get(name)));

  saveSecret = (name: string, value: string) =>
    this.#do<undefined>("saveSecret", () => {
      this.#secrets.set(name, value);
      return ok();
    });

  appendAudit = (entry: AuditEntry) =>
    this.#do<undefined>("appendAudit", () => {
      this.audit.push(entry);
      return ok();
    });

  /** What is on the disk, as it were. */
  stored(key: ConnectionKey): ConnectionRecord | undefined {
    return this.connections.get(connectionId(key));
  }

  #generation(key: ConnectionKey): number {
    return this.stored(key)?.generation ?? 0;
  }
}

function summaryOf({ key, organisation, connectedAtMs, state }: ConnectionRecord): StoredConnectionSummary {
  const grant = servableGrant(state);
  return {
    key,
    ...(organisation === undefined ? {} : { organisation }),
    connectedAtMs,
    stateKind: state.kind,
    ...("failure" in state && state.failure !== undefined ? { failure: state.failure } : {}),
    ...(grant === undefined ? {} : { accessTokenExpiresAtMs: grant.accessTokenExpiresAtMs }),
    grantExpiryIsEstimate: grant?.grantExpiryIsEstimate ?? false,
  };
}
