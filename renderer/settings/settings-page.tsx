/** Settings of this window and of the app, and what there is to know about the running app. */
import { useTranslation } from "react-i18next";
import type { ConnectionView, StatusView } from "../../shared/views.ts";
import { usersOf } from "../connections/users-of.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page } from "../parts/page.tsx";
import type { Live } from "../state/use-live.ts";
import type { Settings } from "../state/use-settings.ts";
import { VaultSection } from "../vault/vault-section.tsx";
import { AboutSections } from "./about-sections.tsx";
import { NetworkSection } from "./network-section.tsx";
import { NotificationsSection } from "./notifications-section.tsx";
import { StartSection } from "./start-section.tsx";
import { YourSection } from "./your-section.tsx";

interface SettingsPageProps {
  readonly settings: Settings;
  readonly status: Live<StatusView>;
  /** Their users are suggested. */
  readonly connections: readonly ConnectionView[];
}

export function SettingsPage({ settings, status, connections }: SettingsPageProps) {
  const { t } = useTranslation();
  const ruled = status.state.kind === "ready" ? (status.state.value.ruledSettings ?? []) : [];
  return (
    <Page title={t("settings.title")}>
      <LoadedView live={settings.live}>
        {(value) => {
          const section = { value, save: settings.save };
          return (
            <>
              <YourSection {...section} />
              <StartSection {...section} isRuled={ruled.includes("startAtLogin")} />
              <NotificationsSection {...section} knownUsers={usersOf(connections)} />
              <NetworkSection {...section} />
            </>
          );
        }}
      </LoadedView>
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
