/** The settings as the window uses them, and the one way to save them. */
import { useCallback, useState } from "react";
import { ok, type Result } from "../../shared/result.ts";
import type { SettingsView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import type { LiveSource } from "./follow-live.ts";
import { type Live, useLive } from "./use-live.ts";

export interface Settings {
  readonly live: Live<SettingsView>;
  /** Shows `settings` at once and saves them; a failed save shows the former ones again. */
  readonly save: (settings: SettingsView) => Promise<Result<undefined>>;
}

export function useSettings(): Settings {
  const live = useLive(settingsSource, "");
  const [shown, setShown] = useState<SettingsView>();
  const save = useCallback(
    async (settings: SettingsView): Promise<Result<undefined>> => {
      setShown(settings);
      const saved = await invoke("settings.save", settings);
      if (saved.ok) return ok();
      setShown(shown);
      return saved;
    },
    [shown],
  );

  return { live: shown === undefined ? live : { ...live, state: { kind: "ready", value: shown } }, save };
}

// Only this window changes the settings: there is no event to follow.
const settingsSource: LiveSource<SettingsView, never> = {
  load: () => invoke("settings.get"),
  listen: () => () => undefined,
  apply: (settings) => settings,
};
