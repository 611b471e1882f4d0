/** What every section of the settings is given. */
import type { SettingsView } from "../../shared/views.ts";
import type { SaveSettings } from "../state/use-settings.ts";

export interface SettingsSectionProps {
  readonly value: SettingsView;
  /** Takes what changes only. */
  readonly save: SaveSettings;
}
