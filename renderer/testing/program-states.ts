/** Programs as data, for the scenarios: approved ones, blocked ones, those that ask, and what the audit log tells of them. */
import type { AuditRowView, BlockedProgramView, DmsClientView, PairingView } from "../../shared/views.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const installed = String.raw`C:\Program Files\Great Software BV\Great DMS\bin\great-dms.exe`;

/** Two everyday programs. @param nowMs what the times are counted from, here and below */
export function clients(nowMs: number): readonly DmsClientView[] {
  return [
    {
      clientId: "c1",
      name: "Great DMS",
      publisher: "Great Software BV",
      programPath: installed,
      access: { users: "all", providers: "all" },
      origin: "paired",
      pairedAtMs: nowMs - 30 * day,
      lastSeenAtMs: nowMs - 3 * minute,
    },
    {
      clientId: "c2",
      name: "Parts Counter",
      access: { users: ["mmd10030.johndoe", "johndoe"], providers: ["mazda"] },
      origin: "paired",
      pairedAtMs: nowMs - 2 * day,
    },
  ];
}

/** One of every kind besides. */
export function variedClients(nowMs: number): readonly DmsClientView[] {
  return [
    {
      clientId: "c4",
      name: "Fleet Report",
      publisher: "Great Software BV",
      programPath: "/opt/great/fleet-report",
      access: { users: "all", providers: ["webfleet", "skoda"], untilMs: nowMs + 20 * day, requestsPerMinute: 12_000 },
      origin: "imported",
      pairedAtMs: nowMs - 3 * day,
      lastSeenAtMs: nowMs - 2 * hour,
    },
    {
      clientId: "c5",
      name: "Holiday Cover",
      publisher: "Great Software BV",
      programPath: installed,
      access: { users: ["mary"], providers: "all", untilMs: nowMs - 5 * day },
      origin: "paired",
      pairedAtMs: nowMs - 40 * day,
      lastSeenAtMs: nowMs - 5 * day,
    },
    managedClient(nowMs),
  ];
}

export function managedClient(nowMs: number): DmsClientView {
  return {
    clientId: "c6",
    name: "Head Office DMS",
    publisher: "Dealer Group",
    access: { users: "all", providers: "all" },
    origin: "policy",
    pairedAtMs: nowMs - hour,
    lastSeenAtMs: nowMs - minute,
  };
}

export function blockedPrograms(nowMs: number): readonly BlockedProgramView[] {
  return [
    {
      blockedId: "b1",
      name: "Free Car Prices",
      publisher: "Mazda",
      programPath: String.raw`C:\Users\johndoe\AppData\Local\Temp\7zO4C1A.tmp\free-car-prices-setup.exe`,
      blockedAtMs: nowMs - 6 * day,
    },
    { blockedId: "b2", name: "Setup", blockedAtMs: nowMs - 90 * day },
  ];
}

export function pairing(nowMs: number): PairingView {
  return {
    pairingId: "p1",
    name: "Workshop Planner",
    publisher: "Great Software BV",
    reason: "To order parts at Mazda and to see the cars in Webfleet.",
    programPath: String.raw`C:\Program Files\Great Software BV\Workshop Planner\bin\planner.exe`,
    code: "482913",
    expiresAtMs: nowMs + 3 * minute,
  };
}

/** Says no more than it must, on a system that does not tell the file. */
export function silentPairing(nowMs: number): PairingView {
  return { pairingId: "p3", name: "dms", code: "017350", expiresAtMs: nowMs + 2 * minute };
}

/** Does not wait for an answer any more. */
export function gonePairing(nowMs: number): PairingView {
  return { ...pairing(nowMs), isGone: true, expiresAtMs: nowMs + 30_000 };
}

/** The same without a word or a file. */
export function silentGonePairing(nowMs: number): PairingView {
  return { ...silentPairing(nowMs), isGone: true, expiresAtMs: nowMs + 30_000 };
}

/** Tries to look like another program and to push the buttons out of sight. */
export function hostilePairing(nowMs: number): PairingView {
  return {
    pairingId: "p2",
    name: `DMS\u202E tcennoC\u2066 \u200B${"Very".repeat(60)}`,
    publisher: "Mazda\n\n\n\n\n\nApproved by your administrator",
    reason: "<b>Click Approve</b> ".repeat(60),
    programPath: `/tmp/\u202E${"safe/".repeat(60)}\nשלום/great-dms\u200B.exe`,
    code: "000451",
    expiresAtMs: nowMs + 65_000,
  };
}

/** The longest names there are. @param user an endless user id */
export function longNamedClient(nowMs: number, user: string): DmsClientView {
  return {
    clientId: "c3",
    name: `Workshop${"-and-parts".repeat(9)}`,
    publisher: "Aktiengesellschaft für Kraftfahrzeugverwaltungssoftware und Werkstattplanung",
    programPath: `/opt/${"werkstattplanung/".repeat(12)}planer`,
    access: { users: [user, ...Array.from({ length: 80 }, (_none, index) => `mmd10030.user${index}`)], providers: ["mazda", "webfleet"] },
    origin: "paired",
    pairedAtMs: nowMs - day,
    lastSeenAtMs: nowMs - 5 * hour,
  };
}

/** Programs that pose as this app or as a person, one that nobody knows, and one that was refused too often; newest first. */
export function impostorAuditRows(nowMs: number): readonly AuditRowView[] {
  const key = { provider: "mazda", environment: "acceptance", user: "mmd10030.johndoe" } as const;
  const rows = [
    { action: "token.get", actor: "3f0c7a52-9b1e-4c58-8d0a-6e2b1f7c4d90", actorName: "DMS Connect", ...key, outcome: "ok" },
    { action: "token.get", actor: "8a1d2c3b-0f4e-4b7a-9c6d-5e8f7a6b5c4d", actorName: "A person at this window", ...key, outcome: "ok" },
    { action: "refusals.more", actor: "8a1d2c3b-0f4e-4b7a-9c6d-5e8f7a6b5c4d", actorName: "Parts Counter", outcome: "not_permitted" },
    { action: "session", actor: "unknown", user: "win\u202Edow\n", outcome: "not_paired" },
    { action: "refresh", actor: "broker", ...key, outcome: "ok" },
  ];
  return rows.map((row, index) => ({ ...row, sequence: rows.length - index, atMs: nowMs - index * minute }));
}
