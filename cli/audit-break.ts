/** How the command line says where the audit log is broken. */
import type { BrokenAudit } from "../electron/vault/audit-chain.ts";

/** One phrase, such as `row 7 was changed`. */
export function breakText({ sequence, problem }: BrokenAudit): string {
  return {
    changed: `row ${sequence} was changed`,
    missing: `row ${sequence} is missing`,
    head: `rows were cut off or exchanged before row ${sequence}`,
  }[problem];
}
