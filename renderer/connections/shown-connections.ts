/**
 * The list of connections as it is shown. Invariants: what needs a person stands first, and otherwise the order stays as it
 * was; a cause that many connections share (the network, a paused provider) is told once above the list and not in each row.
 */
import type { Failure, FailureCode } from "../../shared/failure.ts";
import type { ConnectionView, ProviderView } from "../../shared/views.ts";
import { type ConnectionNotice, connectionNotice, holdsGrant, needsPerson } from "./connection-notice-text.ts";

export interface ShownConnection {
  readonly connection: ConnectionView;
  readonly needsPerson: boolean;
  readonly notice: ConnectionNotice | undefined;
  /** What it waits for, where that is told above the list. */
  readonly waitsFor: "network" | "provider" | undefined;
}

export interface Surroundings {
  /** What stands above the page. */
  readonly notices: readonly Failure[];
  readonly providers: readonly ProviderView[];
  /** Unix milliseconds. */
  readonly nowMs: number;
}

const networkCodes: readonly FailureCode[] = [
  "network_offline",
  "network_sign_in_needed",
  "proxy_sign_in_needed",
  "certificate_date_invalid",
];

/** The connections in the order in which they are shown, each with what is said about it. */
export function shownConnections(connections: readonly ConnectionView[], surroundings: Surroundings): readonly ShownConnection[] {
  return connections
    .map((connection) => shown(connection, surroundings))
    .map((each) => ({ each, rank: rankOf(each) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ each }) => each);
}

function shown(connection: ConnectionView, surroundings: Surroundings): ShownConnection {
  const waitsFor = toldAbove(connection, surroundings);
  return {
    connection,
    needsPerson: needsPerson(connection, surroundings.nowMs),
    notice: waitsFor === undefined ? connectionNotice(connection, surroundings.nowMs) : undefined,
    waitsFor,
  };
}

function toldAbove(connection: ConnectionView, { notices, providers }: Surroundings): ShownConnection["waitsFor"] {
  const { failure } = connection;
  // Where no grant is held, the failure is that of a sign-in: a person's own action has an answer in its own place.
  if (failure === undefined || !holdsGrant(connection)) return undefined;
  if (networkCodes.includes(failure.code) && notices.some(({ code }) => code === failure.code)) return "network";
  const paused = providers
    .find(({ id }) => id === connection.provider)
    ?.environments.find(({ environment }) => environment === connection.environment)?.paused;
  return paused !== undefined && (failure.code === "provider_paused" || failure.code === paused.failure.code) ? "provider" : undefined;
}

/** A sign-in under way stays where it was before the click. */
function rankOf({ connection, needsPerson, notice }: ShownConnection): number {
  if (needsPerson || connection.state === "Connecting") return 0;
  return notice?.intent === "warning" ? 1 : 2;
}
