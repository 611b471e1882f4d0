/** Vaults with a deliberate fault each, which the harness has to notice. Used by nothing but its own tests. */
import { setTimeout as delay } from "node:timers/promises";
import type { Vault } from "../../electron/core/ports.ts";
import { ok } from "../../shared/result.ts";
import type { Sabotage } from "./child-messages.ts";

/** Longer than the moments between an answer and the kill that follows it. */
const lateMs = 400;

export function sabotaged(vault: Vault, kind: Sabotage): Vault {
  return kind === "answer-before-commit" ? writesLate(vault) : forgetsAttempts(vault);
}

function writesLate(vault: Vault): Vault {
  let last: Promise<unknown> = Promise.resolve();
  const later = async (write: () => Promise<unknown>) => {
    last = last.then(() => delay(lateMs)).then(write);
    return ok();
  };
  return {
    ...vault,
    commitConnection: (record) => later(() => vault.commitConnection(record)),
    deleteConnection: (key, generation) => later(() => vault.deleteConnection(key, generation)),
  };
}

function forgetsAttempts(vault: Vault): Vault {
  return {
    ...vault,
    commitConnection: (record) => {
      const { state } = record;
      const stored = state.kind === "Refreshing" ? ({ kind: "Active", grant: state.grant } as const) : state;
      return vault.commitConnection({ ...record, state: stored });
    },
  };
}
