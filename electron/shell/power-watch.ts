/**
 * The computer's power and sleep, as Electron sees them. "Saving" is what the person or the system has switched on to save
 * power; merely running on battery is not: a renewal costs next to nothing.
 *
 * Where it is read from: Windows: battery saver (`windows-battery-saver.ts`). macOS: a serious thermal state only, since
 * Electron tells nothing about low power mode. Linux: the firmware's power profile, where the kernel shows one, which
 * power-profiles-daemon sets; on other computers nothing is known, and nothing is saved.
 */
import { readFileSync } from "node:fs";
import type { PowerMonitor } from "electron";
import type { Power } from "../core/ports.ts";

export interface PowerWatchParts {
  readonly powerMonitor: Pick<PowerMonitor, "on" | "removeListener" | "getCurrentThermalState">;
  readonly platform: NodeJS.Platform;
  /** Windows: `openBatterySaver`; absent where it cannot be asked. */
  readonly isBatterySaverOn?: (() => boolean) | undefined;
  /** For tests. */
  readonly powerProfileFile?: string;
}

/** Electron has no event for a battery saver that is switched on: it is asked now and then, at no cost worth naming. */
const pollMs = 30_000;

/** Watches only while somebody listens. */
export function createPowerWatch(parts: PowerWatchParts): Power {
  const { powerMonitor } = parts;
  const isSaving = savingOf(parts);
  return {
    isSaving,
    onEvent: (listener) => {
      let wasSaving = isSaving();
      const look = (): void => {
        const now = isSaving();
        if (now === wasSaving) return;
        wasSaving = now;
        listener("saving-changed");
      };
      const suspend = (): void => listener("suspend");
      const resume = (): void => {
        // Before anybody begins to work: the computer may have woken up to another state.
        look();
        listener("resume");
      };
      const timer = setInterval(look, pollMs);
      timer.unref();
      powerMonitor.on("suspend", suspend);
      powerMonitor.on("resume", resume);
      powerMonitor.on("on-battery", look);
      powerMonitor.on("on-ac", look);
      powerMonitor.on("thermal-state-change", look);
      return () => {
        clearInterval(timer);
        powerMonitor.removeListener("suspend", suspend);
        powerMonitor.removeListener("resume", resume);
        powerMonitor.removeListener("on-battery", look);
        powerMonitor.removeListener("on-ac", look);
        powerMonitor.removeListener("thermal-state-change", look);
      };
    },
  };
}

function savingOf(parts: PowerWatchParts): () => boolean {
  const { platform, powerMonitor, powerProfileFile = "/sys/firmware/acpi/platform_profile" } = parts;
  if (platform === "win32") return parts.isBatterySaverOn ?? (() => false);
  if (platform === "darwin") return () => ["serious", "critical"].includes(powerMonitor.getCurrentThermalState());
  return () => lowPowerProfile(powerProfileFile);
}

/** Kernel 5.12 and later, `Documentation/ABI/testing/sysfs-platform_profile`; a file in memory. */
function lowPowerProfile(file: string): boolean {
  try {
    return readFileSync(file, "utf8").trim() === "low-power";
  } catch {
    return false;
  }
}
