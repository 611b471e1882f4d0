/**
 * Client registrations: the view as plain JSON, the client secret sealed and bound to that view.
 *
 * Invariant: what a registration's list or reading returns is exactly what was saved; one whose view was changed in the
 * file (say, its token endpoint) is not used. The functions throw SQLite's errors.
 */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Environment, RegistrationView } from "../../shared/views.ts";
import type { Integrity } from "./integrity.ts";
import { openRow, sealRow } from "./sealed-row.ts";
import type { Sealer } from "./sealing.ts";
import { parseJson } from "./stored-json.ts";
import { markedBytes, markedRow, nextRevision, sealedBytes } from "./stored-row.ts";
import { inTransaction } from "./transaction.ts";
import { unreadable } from "./vault-failures.ts";

const endpointsSchema = z.object({
  authorizationEndpoint: z.string().exactOptional(),
  tokenEndpoint: z.string().exactOptional(),
  revocationEndpoint: z.string().exactOptional(),
  jwksUri: z.string().exactOptional(),
  issuer: z.string().exactOptional(),
  grantScreensUrl: z.string().exactOptional(),
});
const viewSchema = z.object({
  provider: z.string(),
  environment: z.enum(["acceptance", "production"]),
  clientId: z.string(),
  hasClientSecret: z.boolean(),
  redirectUris: z.array(z.string()),
  scope: z.string().exactOptional(),
  organisations: z.array(z.string()),
  clientAuthentication: z.enum(["basic", "body"]).exactOptional(),
  basicEncoding: z.enum(["form", "raw"]).exactOptional(),
  pkce: z.boolean().exactOptional(),
  endpoints: endpointsSchema.exactOptional(),
});
const rowSchema = z.object({
  provider: z.string(),
  environment: z.string(),
  revision: z.int(),
  view: z.string(),
  sealed_client_secret: sealedBytes,
});

export interface StoredRegistration {
  readonly registration: RegistrationView;
  readonly clientSecret: string;
}

export interface RegistrationRows {
  /** Those that open. */
  readonly list: () => readonly RegistrationView[];
  readonly read: (provider: string, environment: Environment) => Result<StoredRegistration | undefined>;
  readonly save: (registrations: readonly StoredRegistration[]) => void;
  readonly delete: (provider: string, environment: Environment) => void;
}

const sealedColumn = "sealed_client_secret";
const columns = "provider, environment, revision, view, sealed_client_secret";

export function createRegistrationRows(database: DatabaseSync, sealer: Sealer, integrity: Integrity): RegistrationRows {
  const statements = {
    all: database.prepare(`SELECT ${columns} FROM registration ORDER BY provider, environment`),
    one: database.prepare(`SELECT ${columns} FROM registration WHERE provider = ? AND environment = ?`),
    upsert: database.prepare(`INSERT OR REPLACE INTO registration (${columns}) VALUES (?, ?, ?, ?, ?)`),
    remove: database.prepare("DELETE FROM registration WHERE provider = ? AND environment = ?"),
  };
  const saveOne = ({ registration, clientSecret }: StoredRegistration) => {
    const { provider, environment } = registration;
    const before = statements.one.get(provider, environment);
    const revision = nextRevision(before);
    const view = viewText(registration);
    const sealed = sealRow(sealer, { kind: "registration", names: [provider, environment], revision, view }, clientSecret);
    statements.upsert.run(provider, environment, revision, view, sealed);
    integrity.changed("registration", [provider, environment], markedRow(before, sealedColumn), markedBytes(revision, sealed));
  };
  return {
    list: () => statements.all.all().flatMap((row) => openRegistration(sealer, row)?.registration ?? []),
    read: (provider, environment) => {
      const row = statements.one.get(provider, environment);
      if (row === undefined) return ok(undefined);
      const opened = openRegistration(sealer, row);
      return opened === undefined ? err(unreadable(provider)) : ok(opened);
    },
    save: (registrations) => inTransaction(database, () => registrations.forEach(saveOne)),
    delete: (provider, environment) =>
      inTransaction(database, () => {
        const before = statements.one.get(provider, environment);
        statements.remove.run(provider, environment);
        integrity.changed("registration", [provider, environment], markedRow(before, sealedColumn), undefined);
      }),
  };
}

function openRegistration(sealer: Sealer, row: unknown): StoredRegistration | undefined {
  const { provider, environment, revision, view, sealed_client_secret: sealed } = rowSchema.parse(row);
  const clientSecret = openRow(sealer, { kind: "registration", names: [provider, environment], revision, view }, sealed);
  const parsed = viewSchema.safeParse(parseJson(view));
  return clientSecret !== undefined && parsed.success ? { registration: parsed.data, clientSecret } : undefined;
}

/** Known fields only: whatever else the caller's object holds, a secret among it, is not written in the open. */
function viewText(shown: object): string {
  const view = viewSchema.safeParse(parseJson(JSON.stringify(shown)));
  // Not the schema's own error: that one speaks of what is stored.
  if (!view.success) throw new TypeError("a view of another form");
  return JSON.stringify(view.data);
}
