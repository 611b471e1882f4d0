/**
 * Reads the audit log of a vault that the running app holds, from a copy.
 *
 * Invariants: the vault is neither changed nor kept from the app; that the log was read is left as a note, which the app takes
 * into the log. The end of the log can be proved only with the vault's key; its rows need none.
 */
import { join } from "node:path";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AuditExportFormat } from "../../shared/views.ts";
import type { ReadableAudit } from "./audit-access.ts";
import type { AuditVerification } from "./audit-chain.ts";
import { type AuditNote, leaveAuditNote } from "./audit-notes.ts";
import { createAuditReader } from "./audit-reader.ts";
import { sealedEndOf } from "./audit-rows.ts";
import { atTheEnd, partByPart, type Step } from "./audit-turns.ts";
import { openVaultKey } from "./key-envelopes.ts";
import { plainLock } from "./key-failures.ts";
import { createSealer, type Sealer } from "./sealing.ts";
import { envelopesOf, type LockedVault, type OpenVaultOptions } from "./vault.ts";
import { provesVault } from "./vault-canary.ts";
import { openVaultCopy, type VaultCopy } from "./vault-copy.ts";
import { needsRepair, problemOf, writeFailed } from "./vault-failures.ts";

export interface AuditBeside extends Pick<ReadableAudit, "exportAudit" | "listAudit"> {
  /** Fails as `openVault` does when the keys of this computer or the passphrase do not open the vault. */
  readonly verifyAudit: (keys: OpenVaultOptions) => Promise<Result<AuditVerification, LockedVault>>;
  /** Has the app write that the log was read. Fails with `vault_write_failed`. */
  readonly leaveNote: (note: AuditNote) => Result<undefined>;
  readonly close: () => Promise<void>;
}

/** Copies the vault of a profile and opens the copy. Fails as `openVaultCopy` does. */
export async function openAuditBeside(folder: string): Promise<Result<AuditBeside>> {
  const opened = await openVaultCopy(folder, join(folder, "vault.sqlite"));
  if (!opened.ok) return opened;
  const copy = opened.value;
  const reader = createAuditReader(copy.database, nobodyKnows);
  return ok({
    exportAudit: (format: AuditExportFormat) => partByPart(reader.exporting(format), step),
    listAudit: async (limit, beforeSequence) => step(() => reader.list(limit, beforeSequence)),
    verifyAudit: (keys) => verify(copy, keys),
    leaveNote: (note) => {
      const left = step(() => leaveAuditNote(folder, note));
      return left.ok ? ok() : left;
    },
    close: copy.close,
  });
}

async function verify(copy: VaultCopy, options: OpenVaultOptions): Promise<Result<AuditVerification, LockedVault>> {
  const { folder, nowMs, passphrase } = options;
  const opened = await openVaultKey({ folder, vaultExists: true, envelopes: envelopesOf(options), nowMs, passphrase });
  if (!opened.ok) return err({ ...opened.error, exists: true });
  const key = opened.value;
  const sealers = [key, ...(key.other === undefined ? [] : [key.other])].flatMap(({ candidates, vaultId }) =>
    candidates.map((candidate) => ({ vaultId, sealer: createSealer(candidate) })),
  );
  try {
    const proven = step(() => sealers.find(({ sealer, vaultId }) => provesVault(copy.database, sealer, vaultId))?.sealer);
    if (proven.ok && proven.value === undefined) return err({ ...key.unproven(), exists: true });
    const verified = proven.ok ? await walk(copy, proven.value) : proven;
    return verified.ok ? verified : err({ ...plainLock(verified.error), exists: true });
  } finally {
    for (const { sealer } of sealers) sealer.forgetSubkeys();
    key.wipe();
  }
}

function walk({ database }: VaultCopy, sealer: Sealer | undefined): Promise<Result<AuditVerification>> {
  const isSealedEnd = sealer === undefined ? nobodyKnows : sealedEndOf(database, sealer);
  return atTheEnd(createAuditReader(database, isSealedEnd).verifying({ recorded: true }), step);
}

/** Without the vault's key. */
function nobodyKnows(): boolean {
  return false;
}

const step: Step = (work) => {
  try {
    return ok(work());
  } catch (error) {
    return err(problemOf(error) === "damaged file" ? needsRepair() : writeFailed(error));
  }
};
