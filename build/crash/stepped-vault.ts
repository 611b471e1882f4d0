/**
 * Stands in for `electron/vault/vault.ts` in the crash child's bundle: the real vault, with a step before and after each
 * of its writes. Invariant: without sabotage every call reaches the real vault unchanged.
 */
import type { ConnectionRecord } from "../../electron/core/connection-state.ts";
import type { Vault } from "../../electron/core/ports.ts";
import { type OpenedVault, openVault as openRealVault } from "../../electron/vault/vault.ts";
import { assertNever, type Result } from "../../shared/result.ts";
import type { Sabotage } from "./child-messages.ts";
import { step } from "./child-steps.ts";
import { sabotaged } from "./sabotage.ts";
import { whileRekeying } from "./stepped-disk.ts";
import type { ChildStep } from "./steps.ts";
import { tokenName } from "./token-families.ts";

export * from "../../electron/vault/vault.ts";

let sabotage: Sabotage | undefined;
let lastOpened: OpenedVault | undefined;

/** Before `compose`: which deliberate fault the vault is to have. */
export function setSabotage(kind: Sabotage | undefined): void {
  sabotage = kind;
}

/** The vault that `compose` has open, for checks that its own interface does not offer. */
export function openedVault(): OpenedVault | undefined {
  return lastOpened;
}

/** As the real one. */
export async function openVault(...options: Parameters<typeof openRealVault>): ReturnType<typeof openRealVault> {
  step("vault-opening");
  const opened = await openRealVault(...options);
  if (!opened.ok) return opened;
  step("vault-opened");
  const vault = stepped(sabotage === undefined ? opened.value.vault : sabotaged(opened.value.vault, sabotage));
  const close = () => {
    step("vault-closing");
    opened.value.close();
    step("vault-closed");
  };
  lastOpened = { ...opened.value, vault, close, ...steppedChanges(opened.value) };
  return { ok: true, value: lastOpened };
}

/** What changes the vault's files as a whole. */
function steppedChanges({ backUp, rekey }: OpenedVault): Pick<OpenedVault, "backUp" | "rekey"> {
  return {
    backUp: () => between("backup-begun", "backup-taken", backUp),
    rekey: (passphrase) => between("rekey-begun", "rekey-done", () => whileRekeying(() => rekey(passphrase))),
  };
}

function stepped(vault: Vault): Vault {
  const lastStates = new Map<string, ConnectionRecord["state"]["kind"]>();
  return {
    ...vault,
    commitConnection: async (record) => {
      const [before, after] = commitSteps(record, lastStates.get(record.key.user)) ?? [];
      const about = aboutRecord(record);
      if (before !== undefined) step(before, about);
      const written = await vault.commitConnection(record);
      if (!written.ok) return written;
      lastStates.set(record.key.user, record.state.kind);
      if (after !== undefined) step(after, about);
      return written;
    },
    deleteConnection: (key, generation) =>
      between("connection-deleting", "connection-deleted", () => vault.deleteConnection(key, generation), { user: key.user }),
    saveRegistrations: (list) => between("registrations-writing", "registrations-saved", () => vault.saveRegistrations(list)),
    saveClient: (client) => between("pairing-writing", "pairing-saved", () => vault.saveClient(client)),
    appendAudit: async (entry) => {
      const written = await vault.appendAudit(entry);
      if (written.ok) step("audit-committed");
      return written;
    },
  };
}

async function between(
  before: ChildStep,
  after: ChildStep,
  write: () => Promise<Result<undefined>>,
  about: { readonly user?: string } = {},
): Promise<Result<undefined>> {
  step(before, about);
  const written = await write();
  if (written.ok) step(after, about);
  return written;
}

/** Which steps this write is; none for a doubt or the end of a grant, which no errand can bring about. */
function commitSteps({ state }: ConnectionRecord, last: string | undefined): readonly [ChildStep, ChildStep] | undefined {
  switch (state.kind) {
    case "Refreshing":
      return ["in-flight-writing", "in-flight-committed"];
    case "Active":
      return last === "Refreshing" ? ["tokens-writing", "tokens-committed"] : ["sign-in-writing", "sign-in-committed"];
    case "Revoking":
      return ["revoking-writing", "revoking-committed"];
    case "InDoubt":
    case "ReconnectRequired":
      return undefined;
    default:
      return assertNever(state);
  }
}

function aboutRecord({ key, state }: ConnectionRecord) {
  return "grant" in state ? { user: key.user, token: tokenName(state.grant.accessToken) } : { user: key.user };
}
