/** How the window looks, and the user id that is offered first. */
import { Button, Field, Input, makeStyles, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Theme } from "../../shared/views.ts";
import { Box } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { Section } from "../parts/page.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { type Action, useAction } from "../state/use-action.ts";
import type { SettingsSectionProps } from "./settings-section.ts";

const themes: readonly Theme[] = ["system", "light", "dark"];
const themeLabels = { system: "settings.themeSystem", light: "settings.themeLight", dark: "settings.themeDark" } as const;

export function YourSection({ value, save }: SettingsSectionProps) {
  const { t } = useTranslation();
  const action = useAction();
  const chooseTheme = (chosen: string): void => {
    const theme = themes.find((each) => each === chosen);
    if (theme !== undefined) void action.run(() => save({ theme }));
  };
  return (
    <Section title={t("settings.yours")}>
      <Box>
        <Field label={t("settings.theme")}>
          <RadioGroup value={value.theme} onChange={(_event, data) => chooseTheme(data.value)}>
            {themes.map((theme) => (
              <Radio key={theme} value={theme} label={t(themeLabels[theme])} />
            ))}
          </RadioGroup>
        </Field>
        <UsualUserForm value={value} save={save} action={action} />
        {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
      </Box>
    </Section>
  );
}

interface UsualUserFormProps extends SettingsSectionProps {
  readonly action: Action;
}

function UsualUserForm({ value, save, action }: UsualUserFormProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const [usualUser, setUsualUser] = useState(value.usualUser);
  const [saved, setSaved] = useState(false);
  useUnsavedInput(usualUser.trim() !== value.usualUser);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const done = await action.run(() => save({ usualUser: usualUser.trim() }));
    setSaved(done !== undefined);
  };
  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)}>
      <Field label={t("settings.usualUser")} hint={t("settings.usualUserHint")} className={styles.grow}>
        <Input
          value={usualUser}
          maxLength={128}
          autoComplete="off"
          spellCheck={false}
          onChange={(_event, data) => {
            setSaved(false);
            setUsualUser(data.value);
          }}
        />
      </Field>
      <div className={styles.saveLine}>
        <Button type="submit" disabledFocusable={action.pending}>
          {t("common.save")}
        </Button>
        <output>{saved ? t("common.saved") : ""}</output>
      </div>
    </form>
  );
}

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalS },
  grow: { maxWidth: "420px" },
  saveLine: { display: "flex", alignItems: "center", columnGap: tokens.spacingHorizontalM },
});
