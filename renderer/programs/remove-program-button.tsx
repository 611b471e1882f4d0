/** Ends everything a program may do here, after a question. */
import { Button, Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { DmsClientView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";

interface RemoveProgramButtonProps {
  readonly client: DmsClientView;
  /** Fit to be shown. */
  readonly name: string;
}

export function RemoveProgramButton({ client: { clientId, origin }, name }: RemoveProgramButtonProps) {
  const { t } = useTranslation();
  const label = t("programs.remove.open");
  return (
    <ConfirmDialog
      trigger={<Button aria-label={t("common.labelled", { action: label, subject: name })}>{label}</Button>}
      title={t("programs.remove.title", { name })}
      confirmLabel={t("programs.remove.confirm")}
      onConfirm={() => invoke("clients.remove", { clientId })}
    >
      <Text>{t("programs.remove.does")}</Text>
      <Text>{t("programs.remove.doesNot")}</Text>
      <Text>{t(origin === "imported" ? "programs.remove.afterImported" : "programs.remove.afterPaired")}</Text>
    </ConfirmDialog>
  );
}
