import { describe, expect, it } from "vitest";
import { failure } from "../../shared/failure.ts";
import type { VaultRecoveryView } from "../../shared/views.ts";
import { waysOn } from "./ways-on.ts";

const everything: VaultRecoveryView = {
  places: [],
  canUsePassphrase: true,
  canChoosePassphrase: true,
  canUseEarlierSystemKeys: true,
  canStartAnew: true,
  connections: [],
};
const nothing: VaultRecoveryView = {
  ...everything,
  canUsePassphrase: false,
  canChoosePassphrase: false,
  canUseEarlierSystemKeys: false,
  canStartAnew: false,
};

function ways(code: Parameters<typeof failure>[0], recovery: VaultRecoveryView) {
  return waysOn({ state: "locked", failure: failure(code), recovery });
}

describe("the ways on from a locked vault", () => {
  it("begin with the safest and end with starting anew", () => {
    expect(ways("vault_locked", everything)).toEqual(["tryAgain", "enterPassphrase", "choosePassphrase", "earlierKeys", "startAnew"]);
  });

  it("begin with the passphrase, once, where that is all that is missing", () => {
    expect(ways("vault_passphrase_needed", { ...nothing, canUsePassphrase: true, canStartAnew: true })).toEqual([
      "enterPassphrase",
      "tryAgain",
      "startAnew",
    ]);
  });

  it.each(["vault_in_use", "vault_newer"] as const)("are only to try again for %s, whatever else is offered", (code) => {
    expect(ways(code, everything)).toEqual(["tryAgain"]);
  });

  it("always hold at least one", () => {
    expect(ways("vault_protection_missing", nothing)).toEqual(["tryAgain"]);
  });
});
