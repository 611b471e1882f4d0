/** The window: follows the main process, chooses the theme, and shows one page at a time. */
import {
  AriaLiveAnnouncer,
  createDOMRenderer,
  FluentProvider,
  makeStyles,
  RendererProvider,
  webDarkTheme,
  webLightTheme,
} from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { SettingsView, Theme } from "../shared/views.ts";
import { ConnectionsPage } from "./connections/connections-page.tsx";
import { PairingPrompt } from "./pairing/pairing-prompt.tsx";
import { valueOr } from "./parts/loaded-view.tsx";
import { ProgramsPage } from "./programs/programs-page.tsx";
import { SetUpPage } from "./set-up/set-up-page.tsx";
import { SettingsPage } from "./settings/settings-page.tsx";
import { useClients, useConnections, usePairings, useProviders, useRegistrations, useStatus } from "./state/live-sources.ts";
import { darkSystem, useMediaQuery } from "./state/use-media-query.ts";
import { type Settings, useSettings } from "./state/use-settings.ts";
import { type PageName, WindowFrame } from "./window-frame.tsx";
import { WindowMessages } from "./window-messages.tsx";

/** Until the stored ones are there. */
const standardSettings: SettingsView = { theme: "system", usualUser: "" };

interface DmsConnectWindowProps {
  /** Carried by every style element, as the Content-Security-Policy demands. */
  readonly nonce: string | undefined;
}

export function DmsConnectWindow({ nonce }: DmsConnectWindowProps) {
  const [griffel] = useState(() => createDOMRenderer(document, nonce === undefined ? {} : { styleElementAttributes: { nonce } }));
  return (
    <RendererProvider renderer={griffel}>
      <ThemedWindow />
    </RendererProvider>
  );
}

// Below the renderer: a style made above it would come without nonce and be refused.
function ThemedWindow() {
  const styles = useStyles();
  const settings = useSettings();
  const isDark = useIsDark(valueOr(settings.live, standardSettings).theme);
  return (
    <FluentProvider theme={isDark ? webDarkTheme : webLightTheme} className={styles.root}>
      <AriaLiveAnnouncer>
        <Pages settings={settings} />
      </AriaLiveAnnouncer>
    </FluentProvider>
  );
}

function Pages({ settings }: { readonly settings: Settings }) {
  const [page, setPage] = useState<PageName>("connections");
  useDocumentLanguageAndTitle(page);
  const status = useStatus();
  // Lists that failed while the vault was locked are asked for again once it is open.
  const epoch = status.state.kind === "ready" ? status.state.value.vault.state : "open";
  const connections = useConnections(epoch);
  const providers = useProviders(epoch);
  const registrations = useRegistrations(epoch);
  const clients = useClients(epoch);
  const pairings = usePairings(epoch);
  const knownProviders = valueOr(providers, []);
  return (
    <>
      <WindowFrame page={page} onNavigate={setPage} messages={<WindowMessages status={status} />}>
        {page === "connections" ? (
          <ConnectionsPage
            connections={connections}
            providers={providers}
            usualUser={valueOr(settings.live, standardSettings).usualUser}
            onGoToSetUp={() => setPage("setUp")}
          />
        ) : null}
        {page === "programs" ? <ProgramsPage clients={clients} providers={knownProviders} /> : null}
        {page === "setUp" ? <SetUpPage registrations={registrations} providers={providers} /> : null}
        {page === "settings" ? <SettingsPage settings={settings} status={status} /> : null}
      </WindowFrame>
      <PairingPrompt pairings={valueOr(pairings, [])} providers={knownProviders} />
    </>
  );
}

function useIsDark(theme: Theme): boolean {
  const systemIsDark = useMediaQuery(darkSystem);
  const isDark = theme === "system" ? systemIsDark : theme === "dark";
  useEffect(() => {
    // Scroll bars and form controls of the browser itself follow this.
    document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  }, [isDark]);
  return isDark;
}

function useDocumentLanguageAndTitle(page: PageName): void {
  const { t, i18n } = useTranslation();
  useEffect(() => {
    document.documentElement.lang = i18n.language;
    document.title = t("app.windowTitle", { page: t(`nav.${page}`) });
  }, [t, i18n.language, page]);
}

const useStyles = makeStyles({
  root: { height: "100%" },
});
