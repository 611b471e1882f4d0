/** The two fields for a passphrase that is being made up. */
import { useTranslation } from "react-i18next";
import { PasswordField } from "../parts/password-field.tsx";
import { type NewPassphrase, newPassphraseProblems, passphraseLeast } from "./new-passphrase.ts";

interface NewPassphraseFieldsProps {
  readonly value: NewPassphrase;
  /** Whether problems are shown: not before the person wanted to go on. */
  readonly submitted: boolean;
  readonly onChange: (value: NewPassphrase) => void;
}

export function NewPassphraseFields({ value, submitted, onChange }: NewPassphraseFieldsProps) {
  const { t } = useTranslation();
  const problems = submitted ? newPassphraseProblems(value) : undefined;
  const least = { least: passphraseLeast };
  return (
    <>
      <PasswordField
        label={t("passphrase.new")}
        hint={t("passphrase.newHint", least)}
        value={value.passphrase}
        autoComplete="new-password"
        problem={problems?.passphrase && t(`passphrase.problem.${problems.passphrase}`, least)}
        onChange={(passphrase) => onChange({ ...value, passphrase })}
      />
      <PasswordField
        label={t("passphrase.repeat")}
        value={value.repeated}
        autoComplete="new-password"
        problem={problems?.repeated && t(`passphrase.problem.${problems.repeated}`)}
        onChange={(repeated) => onChange({ ...value, repeated })}
      />
    </>
  );
}
