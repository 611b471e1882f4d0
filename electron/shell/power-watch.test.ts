import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PowerMonitor } from "electron";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createPowerWatch, type PowerWatchParts } from "./power-watch.ts";
import { openBatterySaver } from "./windows-battery-saver.ts";

/** Electron's monitor is an emitter, too. */
function monitor() {
  const emitter = new EventEmitter();
  const state = { thermal: "nominal" as ReturnType<PowerMonitor["getCurrentThermalState"]> };
  const powerMonitor = Object.assign(emitter, { getCurrentThermalState: () => state.thermal }) as unknown as PowerMonitor; // has what is used
  return { emitter, powerMonitor, state };
}

function watch(parts: Omit<PowerWatchParts, "powerMonitor">) {
  const { emitter, powerMonitor, state } = monitor();
  const power = createPowerWatch({ ...parts, powerMonitor });
  const events: string[] = [];
  const stop = power.onEvent((event) => events.push(event));
  return { emitter, state, power, events, stop };
}

afterEach(() => vi.useRealTimers());

describe("the computer's power", () => {
  it("tells of sleep and of waking up until it is stopped", () => {
    vi.useFakeTimers();
    const { emitter, events, stop } = watch({ platform: "linux", powerProfileFile: "/nowhere/platform_profile" });
    emitter.emit("suspend");
    emitter.emit("resume");
    expect(events).toEqual(["suspend", "resume"]);
    stop();
    emitter.emit("suspend");
    expect(events).toHaveLength(2);
    expect(emitter.eventNames()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is saved on Windows while battery saver is on, which is noticed without an event, and before the work after a sleep", () => {
    vi.useFakeTimers();
    let on = false;
    const { emitter, power, events } = watch({ platform: "win32", isBatterySaverOn: () => on });
    emitter.emit("on-battery");
    expect([power.isSaving(), events]).toEqual([false, []]);
    on = true;
    vi.advanceTimersByTime(60_000);
    expect([power.isSaving(), events]).toEqual([true, ["saving-changed"]]);
    on = false;
    emitter.emit("on-ac");
    expect(events).toEqual(["saving-changed", "saving-changed"]);
    on = true;
    emitter.emit("resume");
    expect(events.slice(2)).toEqual(["saving-changed", "resume"]);
  });

  it("is not saved where Windows cannot be asked", () => {
    expect(watch({ platform: "win32" }).power.isSaving()).toBe(false);
  });

  it("is saved on macOS while the computer is too hot", () => {
    const { emitter, state, power, events } = watch({ platform: "darwin" });
    for (const thermal of ["fair", "serious", "critical", "unknown"] as const) {
      state.thermal = thermal;
      emitter.emit("thermal-state-change", { state: thermal });
    }
    expect(events).toEqual(["saving-changed", "saving-changed"]);
    expect(power.isSaving()).toBe(false);
  });

  it("is saved on Linux while the firmware's profile is the one for low power", () => {
    const folder = mkdtempSync(join(tmpdir(), "dms-connect-power-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const powerProfileFile = join(folder, "platform_profile");
    const { emitter, power, events } = watch({ platform: "linux", powerProfileFile });
    expect(power.isSaving()).toBe(false);
    writeFileSync(powerProfileFile, "low-power\n");
    emitter.emit("on-battery");
    expect([power.isSaving(), events]).toEqual([true, ["saving-changed"]]);
    writeFileSync(powerProfileFile, "balanced\n");
    expect(power.isSaving()).toBe(false);
  });
});

describe("battery saver", () => {
  it("is asked on Windows only", async () => {
    for (const platform of ["linux", "darwin"] as const) expect(await openBatterySaver(platform)).toBeUndefined();
  });

  it.skipIf(process.platform !== "win32")("answers on Windows (not exercised elsewhere)", async () => {
    const isOn = await openBatterySaver();
    expect(typeof isOn?.()).toBe("boolean");
  });
});
