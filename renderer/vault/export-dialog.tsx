/** Writes a file for a new computer. Whether sign-ins go with it is the person's own, warned choice; the standard is no. */
import { Checkbox, makeStyles, Text, tokens } from "@fluentui/react-components";
import { type ReactElement, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { Message } from "../parts/failure-message.tsx";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { useAction } from "../state/use-action.ts";
import { newPassphraseProblems, noPassphrase } from "./new-passphrase.ts";
import { NewPassphraseFields } from "./new-passphrase-fields.tsx";

interface ExportDialogProps {
  readonly trigger: ReactElement;
  readonly onExported: (includesSignIns: boolean) => void;
}

export function ExportDialog({ trigger, onExported }: ExportDialogProps) {
  return (
    <FormDialog trigger={trigger}>
      {(close) => (
        <ExportForm
          onDone={(includesSignIns) => {
            close();
            onExported(includesSignIns);
          }}
        />
      )}
    </FormDialog>
  );
}

interface ExportFormProps {
  readonly onDone: (includesSignIns: boolean) => void;
}

function ExportForm({ onDone }: ExportFormProps) {
  const { t } = useTranslation();
  const [form, setForm] = useState(noPassphrase);
  const [includeSignIns, setIncludeSignIns] = useState(false);
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (newPassphraseProblems(form) !== undefined) return;
    const done = await action.run(() => invoke("vault.export", { passphrase: form.passphrase, includeSignIns }));
    // Who cancelled the choice of a file finds the dialog as it was.
    if (done?.value.saved === true) onDone(includeSignIns);
  };
  return (
    <DialogForm title={t("vault.export.title")} confirmLabel={t("vault.export.confirm")} action={action} onSubmit={submit}>
      <Text>{t("vault.export.does")}</Text>
      <NewPassphraseFields value={form} submitted={submitted} onChange={setForm} />
      <SignInsChoice checked={includeSignIns} onChange={setIncludeSignIns} />
      {includeSignIns ? <Message intent="warning" title={t("vault.export.warning")} text={t("vault.export.warningRemedy")} /> : null}
    </DialogForm>
  );
}

interface SignInsChoiceProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

function SignInsChoice({ checked, onChange }: SignInsChoiceProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const hintId = useId();
  return (
    <div>
      <Checkbox
        label={t("vault.export.includeSignIns")}
        aria-describedby={hintId}
        checked={checked}
        onChange={(_event, data) => onChange(data.checked === true)}
      />
      <Text id={hintId} block size={200} className={styles.hint}>
        {t("vault.export.includeSignInsHint")}
      </Text>
    </div>
  );
}

const useStyles = makeStyles({
  // Below the label of the box, as Fluent puts it.
  hint: { paddingInlineStart: tokens.spacingHorizontalXXXL, color: tokens.colorNeutralForeground2 },
});
