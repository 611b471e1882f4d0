/** The hours without notifications as they are typed, and when they can be saved. */
import type { SettingsView } from "../../shared/views.ts";

/** Each `HH:MM` or empty. */
export type QuietHours = Pick<SettingsView, "quietFrom" | "quietTo">;

export const noQuietHours: QuietHours = { quietFrom: "", quietTo: "" };

export interface QuietHoursProblem {
  readonly field: "quietFrom" | "quietTo";
  readonly text: "quietBoth" | "quietSame";
}

/** What is wrong, or `undefined`: both times are there and differ, or none is there. */
export function quietHoursProblem({ quietFrom, quietTo }: QuietHours): QuietHoursProblem | undefined {
  if (quietFrom === "" && quietTo === "") return undefined;
  if (quietFrom === "") return { field: "quietFrom", text: "quietBoth" };
  if (quietTo === "") return { field: "quietTo", text: "quietBoth" };
  // From eight to eight: nobody can tell whether that is always or never.
  return quietFrom === quietTo ? { field: "quietTo", text: "quietSame" } : undefined;
}
