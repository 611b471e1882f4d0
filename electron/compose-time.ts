/** Builds the one time that everything on an open vault goes by, and the OAuth client that learns it from the providers. */
import type { StartBrokerParts } from "./compose-broker.ts";
import type { Registrations } from "./core/registrations.ts";
import { TrustedTime } from "./core/trusted-time.ts";
import { createOAuthClient } from "./oauth/oauth-client.ts";
import { systemClock } from "./shell/system-ports.ts";
import { systemTimeSources } from "./shell/system-time.ts";

/** @param onMoved it is another time than was thought, or there is something else to tell about the clock */
export function buildTime(parts: StartBrokerParts, registrations: Registrations, onMoved: () => void) {
  const closing = new AbortController();
  const ask = async (): Promise<boolean> => {
    for (const { provider, environment } of registrations.list()) {
      const client = await registrations.resolve(provider, environment);
      if (client.ok && (await oauth.askServerTime(client.value, closing.signal))) return true;
    }
    return false;
  };
  const time = new TrustedTime({
    sources: parts.timeSources ?? systemTimeSources,
    setTimer: systemClock.setTimer,
    ask,
    onChanged: () => {
      const notice = time.notice();
      if (notice === undefined) parts.log.info("clock", { state: "ok" });
      else parts.log.warn("clock", { state: notice.code, offset: String(notice.params["offset"]) });
      onMoved();
    },
  });
  const oauth = createOAuthClient({
    fetch: parts.fetch,
    nowMs: time.clock.nowMs,
    onServerTime: (endpoint, dateMs) => time.serverTold(endpoint, dateMs),
  });
  const close = () => {
    closing.abort();
    time.close();
  };
  return { time, oauth, close };
}
