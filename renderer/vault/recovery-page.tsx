/**
 * Shown instead of every page that needs the vault while it does not open: what happened, what a person can do about it,
 * and what is at stake. Nothing here deletes anything.
 */
import { useTranslation } from "react-i18next";
import { FailureMessage } from "../parts/failure-message.tsx";
import { Page } from "../parts/page.tsx";
import { KeyPlaces } from "./key-places.tsx";
import { LockedConnections } from "./locked-connections.tsx";
import { RecoveryWays } from "./recovery-ways.tsx";
import { type LockedVault, waysOn } from "./ways-on.ts";

interface RecoveryPageProps {
  readonly vault: LockedVault;
}

export function RecoveryPage({ vault }: RecoveryPageProps) {
  const { t } = useTranslation();
  const { failure, recovery } = vault;
  return (
    <Page title={t("recovery.title")} lead={t(recovery.canChoosePassphrase ? "recovery.leadNoVault" : "recovery.lead")}>
      <FailureMessage failure={failure} intent={failure.code === "vault_passphrase_needed" ? "info" : "error"} />
      <RecoveryWays vault={vault} />
      <KeyPlaces places={recovery.places} />
      <LockedConnections connections={recovery.connections} canStartAnew={waysOn(vault).includes("startAnew")} />
    </Page>
  );
}
