/**
 * The events of one session, for one listener.
 *
 * Invariant: each change is told after a snapshot that does not have it yet. Where a number is missing, a new snapshot is asked
 * for, if somebody takes it.
 */
import { ok } from "../../shared/result.ts";
import type { Answer, Channel } from "./json-rpc-channel.ts";
import { type BrokerConnectionEvent, type BrokerSnapshot, parseEvent } from "./parse-answers.ts";

export type ChangeListener = (event: BrokerConnectionEvent) => void;
/** Gets a later snapshot: replace everything. */
export type SnapshotListener = (snapshot: BrokerSnapshot) => void;

/**
 * Subscribes.
 *
 * @param ask sends `events.subscribe`
 * @returns the first snapshot; the listeners are told what comes after it
 */
export async function followEvents(
  channel: Channel,
  ask: () => Answer<BrokerSnapshot>,
  onChange: ChangeListener,
  onSnapshot: SnapshotListener | undefined,
): Answer<BrokerSnapshot> {
  /** Of the last event that was told, or of the snapshot; undefined while one is asked for, which will have what comes meanwhile. */
  let sequence: number | undefined;
  const askAgain = async (tell: SnapshotListener): Promise<void> => {
    sequence = undefined;
    const snapshot = await ask();
    // Otherwise the session has ended, or is about to.
    if (!snapshot.ok) return;
    sequence = snapshot.value.sequence;
    tell(snapshot.value);
  };
  const take = (event: BrokerConnectionEvent): void => {
    // Another listener of this session may have asked anew: an old number is no news.
    if (sequence === undefined || event.sequence <= sequence) return;
    if (event.sequence > sequence + 1 && onSnapshot !== undefined) return void askAgain(onSnapshot);
    sequence = event.sequence;
    onChange(event);
  };
  const stop = channel.onNotification((method, params) => {
    const event = method === "event" ? parseEvent(params) : undefined;
    // In a later turn: an event in the same packet as the snapshot must not reach the program before it.
    if (event !== undefined) setImmediate(take, event);
  });
  const subscribed = await ask();
  if (!subscribed.ok) {
    stop();
    return subscribed;
  }
  sequence = subscribed.value.sequence;
  return ok(subscribed.value);
}
