/** A field for a password or passphrase: hidden until the person wants to see it, never filled in or remembered by the window. */
import { Button, Field, Input } from "@fluentui/react-components";
import { EyeRegular } from "@fluentui/react-icons/svg/eye";
import { EyeOffRegular } from "@fluentui/react-icons/svg/eye-off";
import { type Ref, useState } from "react";
import { useTranslation } from "react-i18next";

interface PasswordFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  /** Whether it is made up now, or was made up earlier. */
  readonly autoComplete: "new-password" | "current-password";
  readonly problem: string | undefined;
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly onChange: (value: string) => void;
}

export function PasswordField({ label, hint, value, autoComplete, problem, inputRef, onChange }: PasswordFieldProps) {
  const { t } = useTranslation();
  const [visible, setVisible] = useState(false);
  return (
    <Field
      label={label}
      required
      {...(hint === undefined ? {} : { hint })}
      {...(problem === undefined ? {} : { validationMessage: problem })}
    >
      <Input
        type={visible ? "text" : "password"}
        value={value}
        autoComplete={autoComplete}
        autoCapitalize="off"
        spellCheck={false}
        {...(inputRef === undefined ? {} : { input: { ref: inputRef } })}
        onChange={(_event, data) => onChange(data.value)}
        contentAfter={
          <Button
            appearance="transparent"
            size="small"
            icon={visible ? <EyeOffRegular /> : <EyeRegular />}
            aria-label={t("common.labelled", { action: t(visible ? "common.hide" : "common.show"), subject: label })}
            onClick={() => setVisible(!visible)}
          />
        }
      />
    </Field>
  );
}
