/** Audit logs as data, and what the main process would find in them. */
import type { AuditQuery } from "../../shared/ipc-contract.ts";
import type { AuditPageView, AuditRowView } from "../../shared/views.ts";

const second = 1_000;
const mazda = { provider: "mazda", environment: "acceptance", user: "mmd10030.johndoe" } as const;
const webfleet = { provider: "webfleet", environment: "production", user: "johndoe" } as const;
const greatDms = { actor: "3f0c7a52-9b1e-4c58-8d0a-6e2b1f7c4d90", actorName: "Great DMS" } as const;
const partsCounter = { actor: "8a1d2c3b-0f4e-4b7a-9c6d-5e8f7a6b5c4d", actorName: "Parts Counter" } as const;

type Happening = Omit<AuditRowView, "sequence" | "atMs">;

/** Of one morning, newest first. */
export function auditRows(nowMs: number): readonly AuditRowView[] {
  return numbered(nowMs, [
    { action: "token.get", ...greatDms, ...mazda, outcome: "ok" },
    { action: "token.get", ...partsCounter, ...webfleet, outcome: "not_permitted" },
    { action: "refresh", actor: "broker", ...mazda, outcome: "ok" },
    { action: "refresh", actor: "broker", ...webfleet, outcome: "provider_unreachable" },
    { action: "rate_limit", ...partsCounter, outcome: "program_rate_limited" },
    { action: "session", actor: "c0ffee00-0000-4000-8000-000000000000", outcome: "not_paired" },
    { action: "program.update", actor: "window", user: partsCounter.actor, outcome: "ok" },
    { action: "pairing", actor: "window", actorName: "Parts Counter", user: partsCounter.actor, outcome: "ok" },
    { action: "pairing", actor: "window", actorName: "Workshop Planner", outcome: "pairing_denied" },
    { action: "connect", actor: "broker", ...webfleet, outcome: "ok" },
    { action: "connect.start", actor: "window", ...webfleet, outcome: "ok" },
    { action: "registration.import", actor: "window", provider: "webfleet", environment: "production", outcome: "ok" },
    { action: "vault.open", actor: "broker", outcome: "vault_restored" },
    { action: "audit.export", actor: "command-line", outcome: "ok" },
  ]);
}

/** More than are shown at once. Every tenth is a refusal. */
export function manyAuditRows(nowMs: number): readonly AuditRowView[] {
  const rows = Array.from({ length: 120 }, (_, index): Happening => {
    const outcome = index % 10 === 0 ? "not_connected" : "ok";
    return { action: "token.get", ...greatDms, ...mazda, user: `mmd10030.user${120 - index}`, outcome };
  });
  return numbered(nowMs, rows);
}

/** What a program chose, what nobody can read, and what this window has no words for. */
export function hostileAuditRows(nowMs: number): readonly AuditRowView[] {
  const long = "Very-Long-Name".repeat(20);
  const [newest, ...rows] = numbered(nowMs, [
    { action: "audit.discontinuity", actor: "broker", outcome: "audit_broken" },
    {
      action: "token.get",
      actor: "evil",
      actorName: `DMS\u202E tcennoC\n\n\n${long}`,
      provider: long,
      user: `${long}\u200B`,
      outcome: "not_permitted",
    },
    { action: "some.act.of.a.later.version", actor: "broker", outcome: "some_code_of_a_later_version" },
    { action: "audit.unreadable", actor: "broker", outcome: "audit_broken" },
  ]);
  return [...(newest === undefined ? [] : [newest]), ...rows.map((row) => (row.action === "audit.unreadable" ? { ...row, atMs: 0 } : row))];
}

function numbered(nowMs: number, happenings: readonly Happening[]): readonly AuditRowView[] {
  return happenings.map((row, index) => ({ sequence: happenings.length - index, atMs: nowMs - index * 37 * second, ...row }));
}

/** As the main process pages and filters. */
export function auditPage(rows: readonly AuditRowView[], { limit, before, outcome, text }: AuditQuery): AuditPageView {
  const found = rows.filter(
    (row) =>
      (before === undefined || row.sequence < before) &&
      (outcome === undefined || (row.outcome === "ok") === (outcome === "ok")) &&
      (text === undefined || JSON.stringify(Object.values(row)).toLowerCase().includes(text.toLowerCase())),
  );
  return { rows: found.slice(0, limit), hasMore: found.length > limit };
}
