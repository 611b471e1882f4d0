/** The times that this computer tells. */
import { uptime } from "node:os";
import { performance } from "node:perf_hooks";
import type { TimeSources } from "../core/ports.ts";

export const systemTimeSources: TimeSources = {
  wallMs: Date.now,
  // Stands still during sleep on Linux (CLOCK_MONOTONIC), and on some versions of macOS.
  monotonicMs: () => performance.now(),
  // Counts sleep on every system: CLOCK_BOOTTIME, GetTickCount64, the boot time of the kernel (libuv's uv_uptime).
  uptimeMs: () => uptime() * 1000,
};
