/** What the network costs. */
import { useTranslation } from "react-i18next";
import { Section } from "../parts/page.tsx";
import { useAction } from "../state/use-action.ts";
import { SettingCheckbox } from "./setting-checkbox.tsx";
import type { SettingsSectionProps } from "./settings-section.ts";

export function NetworkSection({ value, save }: SettingsSectionProps) {
  const { t } = useTranslation();
  const action = useAction();
  return (
    <Section title={t("settings.network.title")}>
      <SettingCheckbox
        label={t("settings.network.saveData")}
        hint={t("settings.network.saveDataHint")}
        checked={value.saveData}
        action={action}
        onChange={(saveData) => void action.run(() => save({ saveData }))}
      />
    </Section>
  );
}
