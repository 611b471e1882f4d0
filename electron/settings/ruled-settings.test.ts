import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import { type SettingsView, standardSettings } from "../../shared/views.ts";
import { ruleSettings } from "./ruled-settings.ts";

const on: SettingsView = { ...standardSettings, startAtLogin: true };

/** A settings file and a login item, each of which can be made to fail. */
function scene(stored: SettingsView = standardSettings, policy: { startAtLogin?: boolean } = {}, isOn = false) {
  const state = { stored, isOn, sets: [] as boolean[], itemFails: false, fileFails: false };
  const ruled = ruleSettings({
    policy,
    settings: {
      read: () => state.stored,
      save: (view) => {
        if (state.fileFails) return err(failure("settings_not_saved", { problem: "no space" }));
        state.stored = view;
        return ok();
      },
    },
    loginItem: {
      isOn: () => state.isOn,
      set: (wanted) => {
        state.sets.push(wanted);
        if (state.itemFails) return err(failure("login_item_failed", { problem: "no permission" }));
        state.isOn = wanted;
        return ok();
      },
    },
  });
  return { state, ruled };
}

describe("starting at login", () => {
  it("is done when it is chosen, and taken back when it is not", () => {
    const { state, ruled } = scene();
    expect(ruled.save(on)).toEqual(ok());
    expect(state).toMatchObject({ isOn: true, stored: on });
    expect(ruled.save(standardSettings)).toEqual(ok());
    expect(state).toMatchObject({ isOn: false, stored: standardSettings, sets: [true, false] });
  });

  it("is left alone when something else is saved", () => {
    const { state, ruled } = scene(on, {}, true);
    expect(ruled.save({ ...on, theme: "dark" })).toEqual(ok());
    expect(state).toMatchObject({ sets: [], stored: { theme: "dark" } });
  });

  it("is not saved when the system refuses it", () => {
    const { state, ruled } = scene();
    state.itemFails = true;
    expect(ruled.save(on)).toMatchObject({ ok: false, error: { code: "login_item_failed" } });
    expect(state.stored).toEqual(standardSettings);
  });

  it("is taken back when the choice cannot be saved", () => {
    const { state, ruled } = scene();
    state.fileFails = true;
    expect(ruled.save(on)).toMatchObject({ ok: false, error: { code: "settings_not_saved" } });
    expect(state.isOn).toBe(false);
  });

  it.each([true, false])("is as the administrator has ruled: %s", (startAtLogin) => {
    const { state, ruled } = scene({ ...on, startAtLogin: !startAtLogin }, { startAtLogin }, !startAtLogin);
    expect(ruled.read().startAtLogin).toBe(startAtLogin);
    expect(ruled.save({ ...on, startAtLogin: !startAtLogin })).toMatchObject({ ok: false, error: { code: "setting_ruled" } });
    expect(ruled.save({ ...on, startAtLogin, theme: "dark" })).toEqual(ok());
    // The person's own choice stays, for the day when the rule goes.
    expect(state.stored).toMatchObject({ startAtLogin: !startAtLogin, theme: "dark" });
    expect(ruled.enforce()).toEqual(ok());
    expect(state).toMatchObject({ isOn: startAtLogin, sets: [startAtLogin] });
  });
});

describe("at the start of the app", () => {
  it("what was chosen is done again if the system has lost it, and only then", () => {
    const lost = scene(on);
    expect(lost.ruled.enforce()).toEqual(ok());
    expect(lost.state.sets).toEqual([true]);
    const there = scene(on, {}, true);
    expect(there.ruled.enforce()).toEqual(ok());
    expect(there.state.sets).toEqual([]);
  });

  it("an entry that nobody chose here is left: it may be another profile's", () => {
    const { state, ruled } = scene(standardSettings, {}, true);
    expect(ruled.enforce()).toEqual(ok());
    expect(state).toMatchObject({ isOn: true, sets: [] });
  });

  it("a system that refuses is told", () => {
    const { state, ruled } = scene(standardSettings, { startAtLogin: true });
    state.itemFails = true;
    expect(ruled.enforce()).toMatchObject({ ok: false, error: { code: "login_item_failed" } });
  });
});
