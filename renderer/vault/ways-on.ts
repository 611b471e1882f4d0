/** What a person can do about a locked vault, in the order in which to try it. Pure. */
import type { FailureCode } from "../../shared/failure.ts";
import type { VaultView } from "../../shared/views.ts";

export type LockedVault = Extract<VaultView, { readonly state: "locked" }>;

export type WayOn = "tryAgain" | "enterPassphrase" | "choosePassphrase" | "earlierKeys" | "startAnew";

/** The vault itself is sound: something else has to be closed or installed first. */
const onlyTryAgain: ReadonlySet<FailureCode> = new Set(["vault_in_use", "vault_newer"]);

/** The ways on, the safest first; what gives something up comes last. */
export function waysOn({ failure, recovery }: LockedVault): readonly WayOn[] {
  if (onlyTryAgain.has(failure.code)) return ["tryAgain"];
  // Some people type it at every start: it must not stand below anything.
  const asksForPassphrase = failure.code === "vault_passphrase_needed" && recovery.canUsePassphrase;
  const ways: readonly (readonly [WayOn, boolean])[] = [
    ["enterPassphrase", asksForPassphrase],
    ["tryAgain", true],
    ["enterPassphrase", recovery.canUsePassphrase && !asksForPassphrase],
    ["choosePassphrase", recovery.canChoosePassphrase],
    ["earlierKeys", recovery.canUseEarlierSystemKeys],
    ["startAnew", recovery.canStartAnew],
  ];
  return ways.flatMap(([way, isOpen]) => (isOpen ? [way] : []));
}
