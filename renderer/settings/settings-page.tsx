/** Settings of this window, and what there is to know about the running app. */
import { Button, Field, Input, makeStyles, Radio, RadioGroup, tokens } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SettingsView, StatusView, Theme } from "../../shared/views.ts";
import { Box } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page, Section } from "../parts/page.tsx";
import { type Action, useAction } from "../state/use-action.ts";
import type { Live } from "../state/use-live.ts";
import type { Settings } from "../state/use-settings.ts";
import { VaultSection } from "../vault/vault-section.tsx";
import { AboutSections } from "./about-sections.tsx";

const themes: readonly Theme[] = ["system", "light", "dark"];
const themeLabels = { system: "settings.themeSystem", light: "settings.themeLight", dark: "settings.themeDark" } as const;

interface SettingsPageProps {
  readonly settings: Settings;
  readonly status: Live<StatusView>;
}

export function SettingsPage({ settings, status }: SettingsPageProps) {
  const { t } = useTranslation();
  return (
    <Page title={t("settings.title")}>
      <LoadedView live={settings.live}>{(value) => <SettingsForm value={value} save={settings.save} />}</LoadedView>
      <LoadedView live={status}>
        {(value) => (
          <>
            <VaultSection vault={value.vault} />
            <AboutSections status={value} />
          </>
        )}
      </LoadedView>
    </Page>
  );
}

interface SettingsFormProps {
  readonly value: SettingsView;
  readonly save: Settings["save"];
}

function SettingsForm({ value, save }: SettingsFormProps) {
  const { t } = useTranslation();
  const action = useAction();
  const chooseTheme = (chosen: string): void => {
    const theme = themes.find((each) => each === chosen);
    if (theme !== undefined) void action.run(() => save({ ...value, theme }));
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

interface UsualUserFormProps extends SettingsFormProps {
  readonly action: Action;
}

function UsualUserForm({ value, save, action }: UsualUserFormProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const [usualUser, setUsualUser] = useState(value.usualUser);
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const done = await action.run(() => save({ ...value, usualUser: usualUser.trim() }));
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
