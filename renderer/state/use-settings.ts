/**
 * The settings as the window uses them, and the one way to save them. Invariant: saves go out one after the other, each on
 * top of the one before, so that two sections of the page never undo each other.
 */
import { useCallback, useRef, useState } from "react";
import { ok, type Result } from "../../shared/result.ts";
import type { SettingsView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import type { LiveSource } from "./follow-live.ts";
import { type Live, useLive } from "./use-live.ts";

export type SaveSettings = (change: Partial<SettingsView>) => Promise<Result<undefined>>;

export interface Settings {
  readonly live: Live<SettingsView>;
  /** Shows the changed settings at once and saves them; a failed save shows the former ones again. Only for settings that are there. */
  readonly save: SaveSettings;
}

export function useSettings(): Settings {
  const live = useLive(settingsSource, "");
  const loaded = live.state.kind === "ready" ? live.state.value : undefined;
  const [shown, setShown] = useState<SettingsView>();
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const saved = useRef<SettingsView>(undefined);

  const save = useCallback<SaveSettings>(
    async (change) => {
      if (loaded === undefined) return ok();
      setShown((previous) => ({ ...(previous ?? loaded), ...change }));
      const result = queue.current.then(async () => {
        const wanted = { ...(saved.current ?? loaded), ...change };
        const outcome = await invoke("settings.save", wanted);
        if (outcome.ok) saved.current = wanted;
        return outcome;
      });
      queue.current = result;
      const outcome = await result;
      // A later save that is still under way shows what it will bring.
      if (queue.current === result) setShown(saved.current);
      return outcome.ok ? ok() : outcome;
    },
    [loaded],
  );

  return { live: shown === undefined ? live : { ...live, state: { kind: "ready", value: shown } }, save };
}

// Only this window changes the settings: there is no event to follow.
const settingsSource: LiveSource<SettingsView, never> = {
  load: () => invoke("settings.get"),
  listen: () => () => undefined,
  apply: (settings) => settings,
};
