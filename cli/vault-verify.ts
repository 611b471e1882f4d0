/** `dms-connect vault verify`: opens everything in the vault once and walks the audit log. Nothing that is found goes untold. */
import type { AuditVerification } from "../electron/vault/audit-chain.ts";
import type { OpenedVault } from "../electron/vault/vault.ts";
import type { Failure } from "../shared/failure.ts";
import type { Result } from "../shared/result.ts";
import { breakText } from "./audit-break.ts";
import { exitCodes } from "./exit-codes.ts";

interface Finding {
  readonly kind: "ok" | "note" | "fail";
  readonly text: string;
  readonly remedy?: string;
}

/** Prints one line for each finding. Returns 0 unless something could not be mended. */
export async function verifyVault(opened: OpenedVault, profileFolder: string): Promise<number> {
  const findings: readonly Finding[] = [
    { kind: "ok", text: `vault: opens (${profileFolder})` },
    ...opened.notices.filter(concernsThisProcess).map(noticeFinding),
    ...(await registrationFindings(opened)),
    ...(await connectionFindings(opened)),
    auditFinding(await opened.verifyAudit()),
  ];
  for (const finding of findings) print(finding);
  return findings.some(({ kind }) => kind === "fail") ? exitCodes.failed : exitCodes.ok;
}

/** The command line never has Electron's `safeStorage`; that it misses there says nothing about the vault. */
export function concernsThisProcess({ params }: Failure): boolean {
  return params["missing"] !== "safeStorage";
}

/** What opening the vault has mended is a note; the rest a person has to look at. */
function noticeFinding({ code, message, remedy }: Failure): Finding {
  const mended = code === "vault_record_restored" || code === "vault_key_single_copy";
  return { kind: mended ? "note" : "fail", text: `vault: ${message}`, remedy };
}

/** Those that do not open are among the vault's notices. */
async function registrationFindings({ vault }: OpenedVault): Promise<readonly Finding[]> {
  const listed = await vault.listRegistrations();
  if (!listed.ok) return [failed("registrations", listed.error)];
  const findings: Finding[] = [];
  for (const { provider, environment } of listed.value) {
    const read = await vault.readRegistration(provider, environment);
    if (!read.ok) findings.push(failed(`registration ${provider} (${environment})`, read.error));
  }
  return [{ kind: "ok", text: `registrations: ${listed.value.length - findings.length} open` }, ...findings];
}

async function connectionFindings({ vault, inspect }: OpenedVault): Promise<readonly Finding[]> {
  const inspected = await inspect();
  if (!inspected.ok) return [failed("connections", inspected.error)];
  const listed = await vault.listConnections();
  if (!listed.ok) return [failed("connections", listed.error)];
  const { unreadable, restored } = inspected.value;
  const findings: Finding[] = [{ kind: "ok", text: `connections: ${listed.value.length - unreadable.length} open` }];
  if (restored > 0) findings.push({ kind: "note", text: `connections: ${restored} damaged ones were restored from a backup` });
  for (const { provider, environment, user } of unreadable) {
    const remedy = "Open DMS Connect, click Reconnect and sign in.";
    findings.push({ kind: "fail", text: `connection ${provider} (${environment}) ${user}: cannot be read`, remedy });
  }
  return findings;
}

function auditFinding(verified: Result<AuditVerification>): Finding {
  if (!verified.ok) return failed("audit log", verified.error);
  if (verified.value.kind === "intact") return { kind: "ok", text: `audit log: ${verified.value.rows} rows, unbroken` };
  return {
    kind: "fail",
    text: `audit log: ${breakText(verified.value)}`,
    remedy: "Tell your administrator: somebody has changed the vault file.",
  };
}

function failed(what: string, { message, remedy }: Failure): Finding {
  return { kind: "fail", text: `${what}: ${message}`, remedy };
}

function print({ kind, text, remedy }: Finding): void {
  console.log(`${kind.padEnd(4)}  ${text}`);
  if (remedy !== undefined) console.log(`      What to do: ${remedy}`);
}
