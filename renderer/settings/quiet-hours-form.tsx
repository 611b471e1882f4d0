/** The hours without notifications: two times of day, written as the computer writes them. */
import { Button, Field, Input, makeStyles, Text, tokens } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Box, BoxButtons } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { useAction } from "../state/use-action.ts";
import { noQuietHours, type QuietHours, quietHoursProblem } from "./quiet-hours.ts";
import type { SettingsSectionProps } from "./settings-section.ts";

const fields = ["quietFrom", "quietTo"] as const;

export function QuietHoursForm({ value: { quietFrom, quietTo }, save }: SettingsSectionProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const action = useAction();
  const [form, setForm] = useState<QuietHours>({ quietFrom, quietTo });
  const [submitted, setSubmitted] = useState(false);
  const [saved, setSaved] = useState(false);
  useUnsavedInput(form.quietFrom !== quietFrom || form.quietTo !== quietTo);
  const problem = submitted ? quietHoursProblem(form) : undefined;
  const change = (next: QuietHours): void => {
    setSaved(false);
    setForm(next);
  };
  const send = async (hours: QuietHours): Promise<void> => {
    change(hours);
    setSubmitted(true);
    if (quietHoursProblem(hours) !== undefined) return;
    setSaved((await action.run(() => save(hours))) !== undefined);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send(form);
  };
  return (
    <Box title={t("settings.notifications.quiet")}>
      <Text>{t("settings.notifications.quietExplain")}</Text>
      <form noValidate className={styles.form} onSubmit={submit}>
        <div className={styles.times}>
          {fields.map((field) => (
            <Field
              key={field}
              label={t(`settings.notifications.${field}`)}
              {...(problem?.field === field ? { validationMessage: t(`settings.notifications.${problem.text}`) } : {})}
            >
              <Input type="time" value={form[field]} onChange={(_event, data) => change({ ...form, [field]: data.value })} />
            </Field>
          ))}
        </div>
        <BoxButtons>
          <Button type="submit" disabledFocusable={action.pending}>
            {t("common.save")}
          </Button>
          {quietFrom === "" ? null : (
            <Button disabledFocusable={action.pending} onClick={() => void send(noQuietHours)}>
              {t("settings.notifications.quietOff")}
            </Button>
          )}
          <output>{saved ? t("common.saved") : ""}</output>
        </BoxButtons>
      </form>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </Box>
  );
}

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM },
  times: { display: "flex", flexWrap: "wrap", alignItems: "flex-start", gap: tokens.spacingHorizontalL, "& > *": { minWidth: "140px" } },
});
