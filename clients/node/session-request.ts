/** One request over a session that may end meanwhile. Invariant: it is made at most twice. */
import type { BrokerClient } from "./dms-connect-client.ts";
import type { Answer } from "./json-rpc-channel.ts";
import { endsSession, repeatAfterMs } from "./reconnect-pause.ts";
import type { SessionKeeper } from "./session-keeper.ts";

export type Request<T> = (client: BrokerClient) => Answer<T>;

/**
 * Makes the request, opening a session if there is none; once more if the session ended under it, or the broker asks for a
 * short pause.
 *
 * @param mayRepeat whether the broker may get it twice; otherwise it is made again only if the first surely never arrived
 */
export async function requestOver<T>(keeper: SessionKeeper, request: Request<T>, mayRepeat: boolean): Answer<T> {
  const session = await keeper.session();
  if (!session.ok) return session;
  const answer = await request(session.value);
  if (answer.ok) return answer;
  if (endsSession(answer.error)) keeper.retire(session.value, answer.error);
  const waitMs = repeatAfterMs(answer.error, mayRepeat);
  if (waitMs === undefined) return answer;
  await keeper.wait(waitMs);
  const other = await keeper.session();
  return other.ok ? request(other.value) : other;
}
