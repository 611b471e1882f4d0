import { describe, expect, it } from "vitest";
import { noQuietHours, quietHoursProblem } from "./quiet-hours.ts";

describe("quiet hours", () => {
  it("are two different times, also over midnight, or none", () => {
    expect(quietHoursProblem(noQuietHours)).toBeUndefined();
    expect(quietHoursProblem({ quietFrom: "18:00", quietTo: "07:30" })).toBeUndefined();
    expect(quietHoursProblem({ quietFrom: "08:00", quietTo: "08:00" })).toEqual({ field: "quietTo", text: "quietSame" });
  });

  it("ask for the time that is missing", () => {
    expect(quietHoursProblem({ quietFrom: "18:00", quietTo: "" })).toEqual({ field: "quietTo", text: "quietBoth" });
    expect(quietHoursProblem({ quietFrom: "", quietTo: "07:30" })).toEqual({ field: "quietFrom", text: "quietBoth" });
  });
});
