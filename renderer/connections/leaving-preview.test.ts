import { describe, expect, it } from "vitest";
import type { ConnectionView } from "../../shared/views.ts";
import { mazdaConnection, webfleetConnection } from "../testing/scenario-parts.ts";
import { endingOf } from "./leaving-preview.ts";

const nowMs = 1_795_000_000_000;
const mazda = mazdaConnection(nowMs);
const webfleet = webfleetConnection(nowMs);

describe("what happens to a connection of a user who leaves", () => {
  it.each<[string, ConnectionView]>([
    ["revoke", webfleet],
    ["revoke", { ...webfleet, state: "InDoubt" }],
    ["forget", mazda],
    ["revoking", { ...webfleet, state: "Revoking" }],
    ["forgetEnded", { ...webfleet, state: "ReconnectRequired" }],
    // A sign-in under way covers a grant that may be there.
    ["revoke", { ...webfleet, state: "Connecting" }],
  ])("is %s", (ending, connection) => {
    expect(endingOf(connection)).toBe(ending);
  });

  it("is only that the row goes where nobody was ever signed in", () => {
    const { connectedAtMs: _never, ...rest } = webfleet;
    expect(endingOf({ ...rest, state: "NotConnected" })).toBe("row");
  });
});
