/** Registrations and connections on their way to a new computer, in one sealed file; and how that went. */
import { Button, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { VaultImportView } from "../../shared/views.ts";
import { Box, BoxButtons } from "../parts/card.tsx";
import { Message } from "../parts/failure-message.tsx";
import { ExportDialog } from "./export-dialog.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { useImportSentences } from "./use-import-sentences.ts";

type Outcome =
  | { readonly kind: "exported"; readonly includesSignIns: boolean }
  | { readonly kind: "imported"; readonly counts: VaultImportView };

export function TransferBox() {
  const { t } = useTranslation();
  const [outcome, setOutcome] = useState<Outcome>();
  const forget = (): void => setOutcome(undefined);
  return (
    <Box title={t("vault.transfer.title")}>
      <Text>{t("vault.transfer.explain")}</Text>
      <BoxButtons>
        <ExportDialog
          trigger={<Button onClick={forget}>{t("vault.export.open")}</Button>}
          onExported={(includesSignIns) => setOutcome({ kind: "exported", includesSignIns })}
        />
        <ImportDialog
          trigger={<Button onClick={forget}>{t("vault.import.open")}</Button>}
          onImported={(counts) => setOutcome({ kind: "imported", counts })}
        />
      </BoxButtons>
      {outcome === undefined ? null : <OutcomeMessage outcome={outcome} onDismiss={forget} />}
    </Box>
  );
}

interface OutcomeMessageProps {
  readonly outcome: Outcome;
  readonly onDismiss: () => void;
}

function OutcomeMessage({ outcome, onDismiss }: OutcomeMessageProps) {
  const { t } = useTranslation();
  const importSentences = useImportSentences();
  if (outcome.kind === "imported") return <Message intent="success" {...importSentences(outcome.counts)} onDismiss={onDismiss} />;
  return (
    <Message
      // With sign-ins in the file there is something left to do here.
      intent={outcome.includesSignIns ? "warning" : "success"}
      title={t("vault.export.done")}
      text={t(outcome.includesSignIns ? "vault.export.afterWithSignIns" : "vault.export.after")}
      onDismiss={onDismiss}
    />
  );
}
