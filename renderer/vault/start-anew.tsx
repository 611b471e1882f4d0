/** The last way on: a new vault. The question before it names everything that has to be done again. */
import { Button, Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { BoxButtons } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ConnectionNamesInDialog, type LockedConnection } from "./locked-connections.tsx";

interface StartAnewProps {
  readonly connections: readonly LockedConnection[];
}

export function StartAnew({ connections }: StartAnewProps) {
  const { t } = useTranslation();
  return (
    <BoxButtons>
      <ConfirmDialog
        trigger={<Button>{t("recovery.startAnew.open")}</Button>}
        title={t("recovery.startAnew.question")}
        confirmLabel={t("recovery.startAnew.confirm")}
        onConfirm={() => invoke("vault.startAnew")}
      >
        <Text>{t("recovery.startAnew.setAside")}</Text>
        <Text>{t("recovery.startAnew.registrations")}</Text>
        <Text>{t("recovery.startAnew.programs")}</Text>
        <Text>{t(connections.length === 0 ? "recovery.startAnew.allConnections" : "recovery.startAnew.connections")}</Text>
        <ConnectionNamesInDialog connections={connections} />
      </ConfirmDialog>
    </BoxButtons>
  );
}
