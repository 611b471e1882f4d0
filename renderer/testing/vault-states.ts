/** States of the vault as data, for the scenarios. */
import { type Failure, failure } from "../../shared/failure.ts";
import type { VaultRecoveryView, VaultView } from "../../shared/views.ts";

type LockedVault = Extract<VaultView, { readonly state: "locked" }>;

const john = { providerName: "Mazda", environment: "acceptance", user: "mmd10030.johndoe" } as const;

const noWay: VaultRecoveryView = {
  places: [],
  canUsePassphrase: false,
  canChoosePassphrase: false,
  canUseEarlierSystemKeys: false,
  canStartAnew: false,
  connections: [john],
};

const everyWay: VaultRecoveryView = {
  places: [
    { place: "safeStorage", problem: "lost" },
    { place: "credentialStore", problem: "timed_out" },
    { place: "passphrase", problem: "locked" },
  ],
  canUsePassphrase: true,
  canChoosePassphrase: false,
  canUseEarlierSystemKeys: true,
  canStartAnew: true,
  connections: [john, { providerName: "Webfleet", environment: "production", user: "johndoe" }],
};

function locked(because: Failure, recovery: VaultRecoveryView): LockedVault {
  return { state: "locked", failure: because, recovery };
}

export const lockedVaults = {
  everyWay: locked(failure("vault_locked", { safeStorage: "lost" }), everyWay),
  passphraseNeeded: locked(failure("vault_passphrase_needed"), { ...noWay, canUsePassphrase: true, canStartAnew: true }),
  noSafePlace: locked(failure("vault_protection_missing"), {
    ...noWay,
    places: [
      { place: "safeStorage", problem: "fixed_key" },
      { place: "credentialStore", problem: "unavailable" },
    ],
    canChoosePassphrase: true,
    connections: [],
  }),
  inUse: locked(failure("vault_in_use"), { ...noWay, connections: [] }),
  denied: locked(failure("vault_access_denied", { place: "the credential store of this computer" }), {
    ...noWay,
    places: [
      { place: "safeStorage", problem: "lost" },
      { place: "credentialStore", problem: "denied" },
    ],
    canStartAnew: true,
    connections: manyConnections(),
  }),
} as const satisfies Record<string, LockedVault>;

/** What recovered vaults say about themselves, with the longest file names there are. */
export const vaultNotices: readonly Failure[] = [
  failure("vault_damaged", { file: "vault.sqlite.damaged-2026-11-22T14-05-09-123Z-6f1c0a52e9b34d77", kept: 1 }),
  failure("vault_rolled_back"),
  failure("vault_restored", { date: "2026-11-21 08:30" }),
  failure("vault_record_damaged", { what: "registration of Mazda (acceptance)" }),
];

/** More than fit into a dialog, one of them with an endless name. */
function manyConnections(): VaultRecoveryView["connections"] {
  const users = Array.from({ length: 30 }, (_none, index) => `mmd10030.user${index}`);
  return [...users, `mmd10030.${"maximiliane-wilhelmine".repeat(4)}`].map((user) => ({ ...john, user }));
}
