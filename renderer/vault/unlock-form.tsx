/** Opens the vault with its passphrase. A wrong one stays in the field, to be corrected. */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { FailureMessage } from "../parts/failure-message.tsx";
import { PasswordField } from "../parts/password-field.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { useAction } from "../state/use-action.ts";

interface UnlockFormProps {
  /** The first thing on the page to do: the cursor waits in the field. */
  readonly isFirst: boolean;
}

export function UnlockForm({ isFirst }: UnlockFormProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [passphrase, setPassphrase] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  useUnsavedInput(passphrase !== "");
  useEffect(() => {
    if (isFirst) input.current?.focus();
  }, [isFirst]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSubmitted(true);
    if (passphrase === "") return;
    const opened = await action.run(() => invoke("vault.unlock", { passphrase }));
    if (opened !== undefined) setPassphrase("");
    else input.current?.focus();
  };
  return (
    <form noValidate className={styles.form} onSubmit={(event) => void submit(event)}>
      <PasswordField
        label={t("passphrase.current")}
        value={passphrase}
        autoComplete="current-password"
        problem={submitted && passphrase === "" && !action.pending ? t("passphrase.problem.missing") : undefined}
        inputRef={input}
        onChange={setPassphrase}
      />
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
      <div>
        <Button type="submit" appearance={isFirst ? "primary" : "secondary"} disabledFocusable={action.pending}>
          {t("recovery.enterPassphrase.confirm")}
        </Button>
      </div>
    </form>
  );
}

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM, maxWidth: "420px" },
});
