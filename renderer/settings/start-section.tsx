/** Whether the app starts with the computer's session; a policy may have decided that. */
import { useTranslation } from "react-i18next";
import { Section } from "../parts/page.tsx";
import { useAction } from "../state/use-action.ts";
import { SettingCheckbox } from "./setting-checkbox.tsx";
import type { SettingsSectionProps } from "./settings-section.ts";

interface StartSectionProps extends SettingsSectionProps {
  readonly isRuled: boolean;
}

export function StartSection({ value, save, isRuled }: StartSectionProps) {
  const { t } = useTranslation();
  const action = useAction();
  return (
    <Section title={t("settings.start.title")}>
      <SettingCheckbox
        label={t("settings.start.startAtLogin")}
        hint={t("settings.start.startAtLoginHint")}
        checked={value.startAtLogin}
        ruledBecause={isRuled ? t("settings.ruled") : undefined}
        action={action}
        onChange={(startAtLogin) => void action.run(() => save({ startAtLogin }))}
      />
    </Section>
  );
}
