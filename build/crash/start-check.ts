/** Compares what a started broker shows with what was acknowledged before. Invariant: nothing is held against it that was not acknowledged. */
import type { StartReport } from "./child-messages.ts";
import type { Asked } from "./ledger.ts";
import { type Profile, users } from "./profile.ts";

/** Without a credential store this is always said. Any other notice at a start means that something was found damaged. */
const expectedNotices: ReadonlySet<string> = new Set(["vault_key_single_copy"]);
const absentStates: ReadonlySet<string> = new Set(["NotConnected", "Forgotten"]);

/** Judges `report`; what is wrong goes to the profile's ledger. */
export function checkStart(
  { ledger, credentials, savedRevision }: Pick<Profile, "ledger" | "credentials" | "savedRevision">,
  report: StartReport,
): void {
  if (report.vaultFailure !== undefined) return ledger.find("corrupt", `the vault does not open: ${report.vaultFailure}`);
  if (report.pipeFailure !== undefined) ledger.find("corrupt", `the pipe does not open: ${report.pipeFailure}`);
  for (const notice of report.notices) {
    if (!expectedNotices.has(notice)) ledger.find("corrupt", `at the start there is the notice ${notice}`);
  }
  if (report.audit !== "intact") ledger.find("corrupt", `the audit chain: ${report.audit}`);
  for (const { clientId } of credentials) {
    if (!report.clientIds.includes(clientId)) ledger.find("acknowledgedLost", "a paired program is gone");
  }
  const revision = report.registrationRevision ?? 0;
  if (revision < savedRevision) ledger.find("acknowledgedLost", `registration r${revision} instead of r${savedRevision}`);
  for (const { name } of users) checkConnection(ledger, name, report);
}

function checkConnection(ledger: Profile["ledger"], user: string, report: StartReport): void {
  const asked: Asked = ledger.ask(user);
  const shown = report.connections.find((connection) => connection.user === user);
  if (shown?.failure === "grant_unreadable") return ledger.find("corrupt", `${user}'s grant is unreadable`);
  if (shown === undefined || absentStates.has(shown.state)) return ledger.connectionMissing(asked, "gone at the start");
  if (asked.standing === "ended") return ledger.find("acknowledgedLost", `${user} is ${shown.state} after an acknowledged revocation`);
  if (asked.standing === "ending" && shown.state !== "Revoking") {
    return ledger.find("acknowledgedLost", `${user} is ${shown.state} after a revocation was acknowledged as begun`);
  }
  if (shown.state === "Revoking" && asked.standing === "connected") return ledger.connectionMissing(asked, "Revoking at the start");
  if (shown.state === "ReconnectRequired") ledger.reconnectRequired(user);
}
