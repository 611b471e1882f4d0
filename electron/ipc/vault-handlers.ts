/**
 * The window's calls about the vault: its keys, and moving to another computer. Invariant: a passphrase goes to the part
 * that needs it and nowhere else; what changes who can open the vault, and what leaves or enters it, gets an audit row.
 */
import type { CallName } from "../../shared/ipc-contract.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { VaultImportView } from "../../shared/views.ts";
import { exportAction, importAction, type VaultTransfer } from "../core/vault-transfer.ts";
import { outcomeOf } from "./audit-outcome.ts";
import type { CallHandlers } from "./router.ts";

/** What can be done with the vault itself, locked or open. */
export interface VaultControl {
  readonly tryAgain: () => Promise<Result<undefined>>;
  readonly unlock: (passphrase: string) => Promise<Result<undefined>>;
  readonly setPassphrase: (passphrase: string) => Promise<Result<undefined>>;
  readonly removePassphrase: () => Promise<Result<undefined>>;
  readonly startAnew: () => Promise<Result<undefined>>;
  readonly useEarlierSystemKeys: () => Promise<Result<undefined>>;
  /** A vault with a passphrase needs it. */
  readonly rekey: (passphrase?: string) => Promise<Result<undefined>>;
}

/** The parts of an open broker that these calls use. */
export interface TransferBroker {
  readonly transfer: Pick<VaultTransfer, "checkPassphrase" | "exportAll" | "importAll">;
  readonly audit: (action: string, outcome: string) => void;
}

export interface VaultHandlerParts {
  readonly vault: VaultControl;
  /** The broker, or why it could not be opened. */
  readonly broker: () => Result<TransferBroker>;
  readonly files: {
    readonly openTransferFile: () => Promise<Result<string | undefined>>;
    readonly saveTransferFile: (suggestedName: string, makeText: () => Promise<Result<string>>) => Promise<Result<boolean>>;
  };
}

type VaultCall = Extract<CallName, `vault.${string}`>;
type VaultHandlers = Pick<CallHandlers, VaultCall>;

/** Makes the handlers of all calls whose names begin with `vault.`. */
export function createVaultHandlers(parts: VaultHandlerParts): VaultHandlers {
  const { vault } = parts;
  /** The broker is asked for after the act: the act may have opened it. A vault that is locked takes no rows. */
  const audited = async (action: string, act: Promise<Result<undefined>>): Promise<Result<undefined>> => {
    const done = await act;
    const broker = parts.broker();
    if (broker.ok) broker.value.audit(action, outcomeOf(done));
    return done;
  };
  return {
    "vault.tryAgain": () => vault.tryAgain(),
    "vault.unlock": ({ passphrase }) => audited("vault.unlock", vault.unlock(passphrase)),
    "vault.setPassphrase": ({ passphrase }) => audited("vault.passphrase.set", vault.setPassphrase(passphrase)),
    "vault.removePassphrase": () => audited("vault.passphrase.remove", vault.removePassphrase()),
    "vault.startAnew": () => vault.startAnew(),
    "vault.useEarlierSystemKeys": () => vault.useEarlierSystemKeys(),
    "vault.rekey": ({ passphrase }) => audited("vault.rekey", vault.rekey(passphrase)),
    "vault.export": async (params) => {
      const broker = parts.broker();
      return broker.ok ? exportToFile(parts, broker.value, params) : broker;
    },
    "vault.import": async ({ passphrase }) => {
      const broker = parts.broker();
      return broker.ok ? importFromFile(parts, broker.value, passphrase) : broker;
    },
  };
}

async function exportToFile(
  { files }: VaultHandlerParts,
  { transfer, audit }: TransferBroker,
  options: { readonly passphrase: string; readonly includeSignIns: boolean },
): Promise<Result<{ readonly saved: boolean }>> {
  const weak = transfer.checkPassphrase(options.passphrase);
  if (weak !== undefined) return err(weak);
  const saved = await files.saveTransferFile(suggestedName(new Date()), async () => {
    const exported = await transfer.exportAll(options);
    return exported.ok ? ok(exported.value.text) : exported;
  });
  const cancelled = saved.ok && !saved.value;
  if (!cancelled) audit(exportAction(options.includeSignIns), outcomeOf(saved));
  return saved.ok ? ok({ saved: saved.value }) : saved;
}

async function importFromFile(
  { files }: VaultHandlerParts,
  { transfer, audit }: TransferBroker,
  passphrase: string,
): Promise<Result<VaultImportView>> {
  const text = await files.openTransferFile();
  if (!text.ok) return text;
  if (text.value === undefined) return ok({ cancelled: true, registrations: 0, connections: 0, withSignIn: 0, skipped: 0 });
  const imported = await transfer.importAll(text.value, passphrase);
  audit(importAction(imported.ok && imported.value.withSignIn > 0), outcomeOf(imported));
  return imported.ok ? ok({ cancelled: false, ...imported.value }) : imported;
}

/** By the date of this computer's clock and place: it is for a person's eyes. */
function suggestedName(now: Date): string {
  const parts = [String(now.getFullYear()), ...[now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0"))];
  return `dms-connect-export-${parts.join("-")}.json`;
}
