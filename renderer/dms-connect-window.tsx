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
import { AuditPage } from "./audit/audit-page.tsx";
import { ConnectionsPage } from "./connections/connections-page.tsx";
import { PairingPrompt } from "./pairing/pairing-prompt.tsx";
import { valueOr } from "./parts/loaded-view.tsx";
import { ProgramsPage } from "./programs/programs-page.tsx";
import { SetUpPage } from "./set-up/set-up-page.tsx";
import { SettingsPage } from "./settings/settings-page.tsx";
import { useBlocked, useClients, useConnections, usePairings, useProviders, useRegistrations, useStatus } from "./state/live-sources.ts";
import { darkSystem, useMediaQuery } from "./state/use-media-query.ts";
import { type Settings, useSettings } from "./state/use-settings.ts";
import { RecoveryPage } from "./vault/recovery-page.tsx";
import { type PageName, WindowFrame } from "./window-frame.tsx";
import { WindowMessages } from "./window-messages.tsx";

/** Until the stored ones are there. */
const standardSettings: SettingsView = { theme: "system", usualUser: "" };

const openPages = ["connections", "programs", "setUp", "audit", "settings"] as const satisfies readonly PageName[];
/** While the vault does not open there is nothing else to show. */
const lockedPages = ["recovery", "settings"] as const satisfies readonly PageName[];

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
  const [chosen, setChosen] = useState<PageName>("connections");
  const status = useStatus();
  const { vault, pairing = "allowed" } = status.state.kind === "ready" ? status.state.value : {};
  const pages = vault?.state === "locked" ? lockedPages : openPages;
  // Where a page is not there (any more), the first one is.
  const page = pages.find((each) => each === chosen) ?? pages[0];
  useDocumentLanguageAndTitle(page);
  // Lists that failed while the vault was locked are asked for again once it is open.
  const lists = useLists(vault?.state ?? "open");
  const knownProviders = valueOr(lists.providers, []);
  return (
    <>
      <WindowFrame
        pages={pages}
        page={page}
        onNavigate={setChosen}
        messages={<WindowMessages status={status} page={page} onGoTo={setChosen} />}
      >
        {page === "recovery" && vault?.state === "locked" ? <RecoveryPage vault={vault} /> : null}
        {page === "connections" ? (
          <ConnectionsPage
            connections={lists.connections}
            providers={lists.providers}
            usualUser={valueOr(settings.live, standardSettings).usualUser}
            onGoToSetUp={() => setChosen("setUp")}
          />
        ) : null}
        {page === "programs" ? (
          <ProgramsPage clients={lists.clients} blocked={lists.blocked} providers={knownProviders} pairing={pairing} />
        ) : null}
        {page === "setUp" ? <SetUpPage registrations={lists.registrations} providers={lists.providers} /> : null}
        {page === "audit" ? <AuditPage providers={knownProviders} /> : null}
        {page === "settings" ? <SettingsPage settings={settings} status={status} /> : null}
      </WindowFrame>
      <PairingPrompt pairings={valueOr(lists.pairings, [])} providers={knownProviders} />
    </>
  );
}

function useLists(epoch: string) {
  return {
    connections: useConnections(epoch),
    providers: useProviders(epoch),
    registrations: useRegistrations(epoch),
    clients: useClients(epoch),
    blocked: useBlocked(epoch),
    pairings: usePairings(epoch),
  };
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
