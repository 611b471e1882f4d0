/** Asks before the vault gets a new key, and for the passphrase where the new key must be sealed with it too. */
import { Text } from "@fluentui/react-components";
import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { PasswordField } from "../parts/password-field.tsx";
import { useAction } from "../state/use-action.ts";

interface RekeyDialogProps {
  readonly trigger: ReactElement;
  readonly hasPassphrase: boolean;
  readonly onChanged: () => void;
}

export function RekeyDialog({ trigger, hasPassphrase, onChanged }: RekeyDialogProps) {
  return (
    <FormDialog trigger={trigger}>
      {(close) => (
        <RekeyForm
          hasPassphrase={hasPassphrase}
          onDone={() => {
            close();
            onChanged();
          }}
        />
      )}
    </FormDialog>
  );
}

interface RekeyFormProps {
  readonly hasPassphrase: boolean;
  readonly onDone: () => void;
}

function RekeyForm({ hasPassphrase, onDone }: RekeyFormProps) {
  const { t } = useTranslation();
  const [passphrase, setPassphrase] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const isMissing = hasPassphrase && passphrase === "";
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (isMissing) return;
    const done = await action.run(() => invoke("vault.rekey", hasPassphrase ? { passphrase } : {}));
    if (done !== undefined) onDone();
  };
  return (
    <DialogForm title={t("vault.key.question")} confirmLabel={t("vault.key.confirm")} action={action} onSubmit={submit}>
      <Text>{t("vault.key.does")}</Text>
      <Text>{t("vault.key.doesNot")}</Text>
      {hasPassphrase ? (
        <PasswordField
          label={t("passphrase.current")}
          value={passphrase}
          autoComplete="current-password"
          problem={submitted && isMissing ? t("passphrase.problem.missing") : undefined}
          onChange={setPassphrase}
        />
      ) : null}
    </DialogForm>
  );
}
