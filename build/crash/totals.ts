/** What a whole crash run counted, and the lines it ends with. */
import { type StepName, stepNames } from "./steps.ts";

/** `note`: worth a line, and within what the broker promises (a backup that failed is told and tried again). */
export type FindingKind = "acknowledgedLost" | "corrupt" | "refreshTokenReused" | "reconnectForced" | "note";

export interface Finding {
  readonly kind: FindingKind;
  /** Of `reconnectForced`: whether the provider had not rotated, so that the sign-in could have been kept. */
  readonly avoidable?: boolean;
  /** Number of the run in which it showed. */
  readonly life: number;
  /** Enough to understand it; holds no token. */
  readonly text: string;
}

/** What shows that the run exercised anything. */
export interface Seen {
  tokensHanded: number;
  rotations: number;
  inDoubtTries: number;
  signIns: number;
  revocations: number;
  pairings: number;
  registrations: number;
  backups: number;
  rekeys: number;
  starts: number;
}

export interface Totals {
  kills: number;
  readonly findings: Finding[];
  readonly stepKills: Map<StepName, number>;
  readonly seen: Seen;
}

export function newTotals(): Totals {
  const seen: Seen = {
    tokensHanded: 0,
    rotations: 0,
    inDoubtTries: 0,
    signIns: 0,
    revocations: 0,
    pairings: 0,
    registrations: 0,
    backups: 0,
    rekeys: 0,
    starts: 0,
  };
  return { kills: 0, findings: [], stepKills: new Map(), seen };
}

export function count(totals: Totals, kind: FindingKind): number {
  return totals.findings.filter((finding) => finding.kind === kind).length;
}

/** The last line of a run. */
export function summaryLine(totals: Totals): string {
  const avoidable = totals.findings.filter((finding) => finding.avoidable === true).length;
  const forced = count(totals, "reconnectForced");
  return [
    `kills=${totals.kills}`,
    `acknowledgedLost=${count(totals, "acknowledgedLost")}`,
    `corrupt=${count(totals, "corrupt")}`,
    `refreshTokenReused=${count(totals, "refreshTokenReused")}`,
    `reconnectsForced=${forced}`,
    `unavoidable=${forced - avoidable}`,
  ].join(" ");
}

/** The line before it: how often the broker was ended at each step. */
export function stepLine(totals: Totals): string {
  return `steps killed: ${stepNames.map((name) => `${name}=${totals.stepKills.get(name) ?? 0}`).join(" ")}`;
}

/** What the broker did between the kills. */
export function seenLine({ seen }: Totals): string {
  return `seen: ${Object.entries(seen)
    .map(([name, number]) => `${name}=${number}`)
    .join(" ")}`;
}

/** Whether nothing happened that must not happen. */
export function isClean(totals: Totals): boolean {
  return totals.findings.every(({ kind }) => kind === "reconnectForced" || kind === "note");
}
