/** When, and about whom, DMS Connect shows no notification. */
import { Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { Section } from "../parts/page.tsx";
import { MutedUsers } from "./muted-users.tsx";
import { QuietHoursForm } from "./quiet-hours-form.tsx";
import type { SettingsSectionProps } from "./settings-section.ts";

interface NotificationsSectionProps extends SettingsSectionProps {
  readonly knownUsers: readonly string[];
}

export function NotificationsSection({ value, save, knownUsers }: NotificationsSectionProps) {
  const { t } = useTranslation();
  return (
    <Section title={t("settings.notifications.title")}>
      <Text>{t("settings.notifications.explain")}</Text>
      <QuietHoursForm value={value} save={save} />
      <MutedUsers value={value} save={save} knownUsers={knownUsers} />
    </Section>
  );
}
