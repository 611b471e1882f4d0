/** A person's attention on a world of fakes, and what happens to its connections. */
import { failure } from "../../../shared/failure.ts";
import { Attention } from "../attention.ts";
import type { ConnectionKey, Grant } from "../connection-state.ts";
import { generationOf } from "../live-connection.ts";
import type { AttentionNotice } from "../ports.ts";
import { settled } from "./fake-clock.ts";
import { minuteMs, webfleetKey } from "./records.ts";
import { createWorld, valueOf, type World } from "./world.ts";

export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** Longer than notices are gathered. */
export const momentMs = 3_000;
export const dead = failure("grant_dead", { provider: "Webfleet" });

/** One run of the app on a world that may have been there before. */
export function attentionOn(world: World) {
  const settings = { quietFrom: "", quietTo: "", mutedUsers: [] as string[] };
  const day = { minutes: 12 * 60 };
  const notices: AttentionNotice[] = [];
  const counts: number[] = [];
  const attention = new Attention({
    connections: world.connections,
    vault: world.vault,
    clock: world.clock,
    settings: () => settings,
    localMinutes: () => day.minutes,
    onNotify: (notice) => notices.push(notice),
    onCount: (count) => counts.push(count),
  });
  const told = () => notices.map(({ cause, user }) => `${user} ${cause}`);
  return { attention, started: attention.start(), settings, day, notices, counts, told };
}

/** The same, once it has looked at every connection. */
export async function attend(world: World) {
  const run = attentionOn(world);
  await run.started;
  await settled();
  return run;
}

/** The provider says that the grant is dead. */
export async function end(world: World, key: ConnectionKey): Promise<void> {
  const live = valueOf(await world.connections.load(key));
  valueOf(await world.connections.commit(live, generationOf(live), { kind: "ReconnectRequired", failure: dead }));
}

/** The person has signed in again. */
export async function mend(world: World, key: ConnectionKey, changes: Partial<Grant> = {}): Promise<void> {
  const live = valueOf(await world.connections.load(key));
  valueOf(await world.connections.commit(live, generationOf(live), { kind: "Active", grant: world.newGrant("mended", changes) }));
}

export async function connected(...keys: readonly ConnectionKey[]): Promise<World> {
  const world = await createWorld();
  for (const key of keys) world.storeActive(key);
  return world;
}

/** Lasts for `lifeMs` and cannot be renewed. */
export function storeNotRenewable(world: World, key: ConnectionKey, lifeMs: number): number {
  const endsAtMs = world.clock.nowMs() + lifeMs;
  const { refreshToken: _none, ...grant } = world.newGrant("once", { accessTokenExpiresAtMs: endsAtMs, grantExpiresAtMs: endsAtMs });
  world.store(key, { kind: "Active", grant });
  return endsAtMs;
}

export const users = (count: number): readonly ConnectionKey[] =>
  Array.from({ length: count }, (_, index) => ({ ...webfleetKey, user: `u${index}` }));
