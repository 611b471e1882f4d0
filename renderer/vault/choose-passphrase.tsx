/** Makes a vault that a passphrase protects, on a computer that has no safe place for its key. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { BoxButtons } from "../parts/card.tsx";
import { PassphraseDialog } from "./passphrase-dialog.tsx";

export function ChoosePassphrase() {
  const { t } = useTranslation();
  return (
    <BoxButtons>
      <PassphraseDialog
        trigger={<Button>{t("recovery.choosePassphrase.open")}</Button>}
        title={t("recovery.choosePassphrase.title")}
        explain={[t("recovery.choosePassphrase.eachStart")]}
        confirmLabel={t("recovery.choosePassphrase.confirm")}
      />
    </BoxButtons>
  );
}
