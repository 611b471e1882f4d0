/** The window: follows the main process, chooses the theme, and shows one page at a time. */
import {
  AriaLiveAnnouncer,
  createDOMRenderer,
  FluentProvider,
  RendererProvider,
  webDarkTheme,
  webLightTheme,
} from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../shared/failure.ts";
import { standardSettings, type Theme } from "../shared/views.ts";
import { AskedMessage } from "./asked-message.tsx";
import { AuditPage } from "./audit/audit-page.tsx";
import { ConnectionsPage } from "./connections/connections-page.tsx";
import { PairingPrompt } from "./pairing/pairing-prompt.tsx";
import { valueOr } from "./parts/loaded-view.tsx";
import { ProgramsPage } from "./programs/programs-page.tsx";
import { SavedProxyProvider } from "./proxy/saved-proxy.tsx";
import { SetUpPage } from "./set-up/set-up-page.tsx";
import { SettingsPage } from "./settings/settings-page.tsx";
import { useBlocked, useClients, useConnections, usePairings, useProviders, useRegistrations, useStatus } from "./state/live-sources.ts";
import { darkSystem, useMediaQuery } from "./state/use-media-query.ts";
import { useClockCorrection } from "./state/use-now.ts";
import { type Settings, useSettings } from "./state/use-settings.ts";
import { usePlace } from "./use-place.ts";
import { RecoveryPage } from "./vault/recovery-page.tsx";
import { type PageName, WindowFrame } from "./window-frame.tsx";
import { WindowMessages } from "./window-messages.tsx";

const openPages = ["connections", "programs", "setUp", "audit", "settings"] as const satisfies readonly PageName[];
const noNotices: readonly Failure[] = [];
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
  const settings = useSettings();
  const isDark = useIsDark(valueOr(settings.live, standardSettings).theme);
  return (
    <FluentProvider theme={isDark ? webDarkTheme : webLightTheme}>
      <AriaLiveAnnouncer>
        <Pages settings={settings} />
      </AriaLiveAnnouncer>
    </FluentProvider>
  );
}

function Pages({ settings }: { readonly settings: Settings }) {
  const place = usePlace();
  const status = useStatus();
  const {
    vault,
    pairing = "allowed",
    notices = noNotices,
    clockCorrectionMs = 0,
  } = status.state.kind === "ready" ? status.state.value : {};
  const pages = vault?.state === "locked" ? lockedPages : openPages;
  // Where a page is not there (any more), the first one is.
  const page = pages.find((each) => each === place.page) ?? pages[0];
  useClockCorrection(clockCorrectionMs);
  useDocumentLanguageAndTitle(page);
  // Lists that failed while the vault was locked are asked for again once it is open.
  const lists = useLists(vault?.state ?? "open");
  const knownProviders = valueOr(lists.providers, []);
  return (
    <SavedProxyProvider news={status.state}>
      <WindowFrame
        pages={pages}
        page={page}
        onNavigate={place.goTo}
        messages={
          <>
            {place.asked === undefined || !isAmong(pages, place.asked.page) ? null : (
              <AskedMessage asked={place.asked} page={page} onShow={place.showAsked} onDismiss={place.dropAsked} />
            )}
            <WindowMessages status={status} page={page} onGoTo={place.goTo} />
          </>
        }
      >
        {page === "recovery" && vault?.state === "locked" ? <RecoveryPage vault={vault} /> : null}
        {page === "connections" ? (
          <ConnectionsPage
            connections={lists.connections}
            providers={lists.providers}
            notices={notices}
            usualUser={valueOr(settings.live, standardSettings).usualUser}
            mark={place.mark}
            onMarkDropped={place.dropMark}
            onGoToSetUp={() => place.goTo("setUp")}
          />
        ) : null}
        {page === "programs" ? (
          <ProgramsPage clients={lists.clients} blocked={lists.blocked} providers={knownProviders} pairing={pairing} />
        ) : null}
        {page === "setUp" ? <SetUpPage registrations={lists.registrations} providers={lists.providers} /> : null}
        {page === "audit" ? <AuditPage providers={knownProviders} /> : null}
        {page === "settings" ? <SettingsPage settings={settings} status={status} connections={valueOr(lists.connections, [])} /> : null}
      </WindowFrame>
      <PairingPrompt pairings={valueOr(lists.pairings, [])} providers={knownProviders} />
    </SavedProxyProvider>
  );
}

function isAmong(pages: readonly PageName[], page: PageName): boolean {
  return pages.includes(page);
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
