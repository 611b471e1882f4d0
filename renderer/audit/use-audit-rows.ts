/**
 * The rows of the audit log that are shown: the newest first, and older ones when they are asked for.
 *
 * Invariant: an answer to an older question never replaces that to a newer one.
 */
import { useCallback, useEffect, useState } from "react";
import type { AuditQuery } from "../../shared/ipc-contract.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { AuditPageView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import type { Loaded } from "../state/follow-live.ts";
import { type Action, useAction } from "../state/use-action.ts";
import type { Live } from "../state/use-live.ts";

/** About two screens. */
const rowsAtOnce = 50;

export interface AuditFilter {
  readonly text: string;
  readonly onlyRefused: boolean;
}

export interface AuditRows {
  /** What was found so far. While something else is asked for, what was found before stays. */
  readonly live: Live<AuditPageView>;
  /** Whether an answer is being waited for. */
  readonly loading: boolean;
  /** Asking for older rows. */
  readonly older: Action;
  readonly showOlder: () => Promise<void>;
}

interface Answer {
  /** What it answers; `undefined` before the first. */
  readonly asked: string | undefined;
  readonly state: Loaded<AuditPageView>;
}

export function useAuditRows({ text, onlyRefused }: AuditFilter): AuditRows {
  const [answer, setAnswer] = useState<Answer>({ asked: undefined, state: { kind: "loading" } });
  const [attempt, setAttempt] = useState(0);
  const older = useAction();
  const asked = JSON.stringify([text, onlyRefused, attempt]);

  useEffect(() => {
    let isWanted = true;
    void invoke("audit.page", queryOf(text, onlyRefused)).then((result) => {
      if (!isWanted) return;
      setAnswer({ asked, state: result.ok ? { kind: "ready", value: result.value } : { kind: "failed", failure: result.error } });
    });
    return () => {
      isWanted = false;
    };
  }, [asked, text, onlyRefused]);

  const { run } = older;
  const showOlder = useCallback(async () => {
    const rows = answer.state.kind === "ready" ? answer.state.value.rows : [];
    const last = rows.at(-1);
    if (last === undefined) return;
    await run(async (): Promise<Result<undefined>> => {
      const result = await invoke("audit.page", { ...queryOf(text, onlyRefused), before: last.sequence });
      if (!result.ok) return err(result.error);
      const value = { ...result.value, rows: [...rows, ...result.value.rows] };
      setAnswer((now) => (now === answer ? { ...now, state: { kind: "ready", value } } : now));
      return ok();
    });
  }, [answer, text, onlyRefused, run]);

  const reload = useCallback(() => setAttempt((previous) => previous + 1), []);
  return { live: { state: answer.state, reload }, loading: answer.asked !== asked, older, showOlder };
}

function queryOf(text: string, onlyRefused: boolean): AuditQuery {
  const wanted = text.trim();
  return {
    limit: rowsAtOnce,
    ...(wanted === "" ? {} : { text: wanted }),
    ...(onlyRefused ? { outcome: "refused" as const } : {}),
  };
}
