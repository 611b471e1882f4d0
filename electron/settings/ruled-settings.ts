/**
 * The settings as the window sees them, with what the computer's policy has fixed, and with the deed that goes with one of
 * them: starting at login.
 *
 * Invariants: what is ruled reads as ruled, and cannot be saved otherwise; the person's own choice stays in the file, and
 * counts again when the rule goes. A choice that the system does not carry out is not saved.
 */
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { SettingsView } from "../../shared/views.ts";
import type { ComputerPolicy } from "./policy.ts";
import type { Settings } from "./settings.ts";

export interface RuledSettingsParts {
  readonly settings: Settings;
  readonly policy: Pick<ComputerPolicy, "startAtLogin">;
  /** The entry of the system that starts the app at login. `set` fails with `login_item_failed`. */
  readonly loginItem: { readonly isOn: () => boolean; readonly set: (on: boolean) => Result<undefined> };
}

export interface RuledSettings extends Settings {
  /**
   * Makes the system do what is ruled or chosen, once after the start: the app may have been moved, or the rule is new.
   * Without rule or choice nothing is touched: the entry may be that of another profile.
   */
  readonly enforce: () => Result<undefined>;
}

/** Wraps the settings. */
export function ruleSettings({ settings, policy, loginItem }: RuledSettingsParts): RuledSettings {
  const { startAtLogin: ruled } = policy;
  const read = (): SettingsView => {
    const chosen = settings.read();
    return ruled === undefined ? chosen : { ...chosen, startAtLogin: ruled };
  };
  return {
    read,
    save: (view) => {
      const before = settings.read();
      if (ruled !== undefined) {
        if (view.startAtLogin !== ruled) return err(failure("setting_ruled", { setting: "startAtLogin" }));
        return settings.save({ ...view, startAtLogin: before.startAtLogin });
      }
      if (view.startAtLogin === before.startAtLogin) return settings.save(view);
      const done = loginItem.set(view.startAtLogin);
      if (!done.ok) return done;
      const saved = settings.save(view);
      // What the window goes on showing must be what the system does.
      if (!saved.ok) loginItem.set(before.startAtLogin);
      return saved;
    },
    enforce: () => {
      if (!read().startAtLogin) return ruled === undefined ? ok() : loginItem.set(false);
      return loginItem.isOn() ? ok() : loginItem.set(true);
    },
  };
}
