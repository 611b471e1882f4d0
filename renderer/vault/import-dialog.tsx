/** Takes in the file of another computer. Main asks for the file itself, so that its content never passes through the window. */
import { Text } from "@fluentui/react-components";
import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import type { VaultImportView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { PasswordField } from "../parts/password-field.tsx";
import { useAction } from "../state/use-action.ts";

interface ImportDialogProps {
  readonly trigger: ReactElement;
  readonly onImported: (counts: VaultImportView) => void;
}

export function ImportDialog({ trigger, onImported }: ImportDialogProps) {
  return (
    <FormDialog trigger={trigger}>
      {(close) => (
        <ImportForm
          onDone={(counts) => {
            close();
            onImported(counts);
          }}
        />
      )}
    </FormDialog>
  );
}

interface ImportFormProps {
  readonly onDone: (counts: VaultImportView) => void;
}

function ImportForm({ onDone }: ImportFormProps) {
  const { t } = useTranslation();
  const [passphrase, setPassphrase] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (passphrase === "") return;
    const done = await action.run(() => invoke("vault.import", { passphrase }));
    if (done !== undefined && !done.value.cancelled) onDone(done.value);
  };
  return (
    <DialogForm title={t("vault.import.title")} confirmLabel={t("vault.import.confirm")} action={action} onSubmit={submit}>
      <Text>{t("vault.import.does")}</Text>
      <Text>{t("vault.import.doesNot")}</Text>
      <PasswordField
        label={t("passphrase.ofFile")}
        value={passphrase}
        autoComplete="current-password"
        problem={submitted && passphrase === "" ? t("passphrase.problem.missing") : undefined}
        onChange={setPassphrase}
      />
    </DialogForm>
  );
}
