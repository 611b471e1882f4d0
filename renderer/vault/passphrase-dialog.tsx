/** The dialog in which a person makes up the vault's passphrase: on the recovery page and in the settings. */
import { Text } from "@fluentui/react-components";
import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { useAction } from "../state/use-action.ts";
import { newPassphraseProblems, noPassphrase } from "./new-passphrase.ts";
import { NewPassphraseFields } from "./new-passphrase-fields.tsx";

interface PassphraseDialogProps {
  readonly trigger: ReactElement;
  readonly title: string;
  /** Sentences above the fields: what this passphrase is for. */
  readonly explain: readonly string[];
  readonly confirmLabel: string;
  readonly onSet?: () => void;
}

export function PassphraseDialog({ trigger, onSet, ...rest }: PassphraseDialogProps) {
  return (
    <FormDialog trigger={trigger}>
      {(close) => (
        <PassphraseForm
          {...rest}
          onDone={() => {
            close();
            onSet?.();
          }}
        />
      )}
    </FormDialog>
  );
}

interface PassphraseFormProps extends Omit<PassphraseDialogProps, "trigger" | "onSet"> {
  readonly onDone: () => void;
}

function PassphraseForm({ title, explain, confirmLabel, onDone }: PassphraseFormProps) {
  const [form, setForm] = useState(noPassphrase);
  const [submitted, setSubmitted] = useState(false);
  const { t } = useTranslation();
  const action = useAction();
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (newPassphraseProblems(form) !== undefined) return;
    const done = await action.run(() => invoke("vault.setPassphrase", { passphrase: form.passphrase }));
    if (done !== undefined) onDone();
  };
  return (
    <DialogForm title={title} confirmLabel={confirmLabel} action={action} onSubmit={submit}>
      {explain.map((sentence) => (
        <Text key={sentence}>{sentence}</Text>
      ))}
      <Text weight="semibold">{t("passphrase.notRecoverable")}</Text>
      <NewPassphraseFields value={form} submitted={submitted} onChange={setForm} />
    </DialogForm>
  );
}
