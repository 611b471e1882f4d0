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
import { useCallback, useEffect, useLayoutEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Failure } from "../shared/failure.ts";
import { standardSettings, type Theme, type WindowTarget } from "../shared/views.ts";
import { AuditPage } from "./audit/audit-page.tsx";
import type { ConnectionMark } from "./connections/connection-row.ts";
import { ConnectionsPage } from "./connections/connections-page.tsx";
import { PairingPrompt } from "./pairing/pairing-prompt.tsx";
import { valueOr } from "./parts/loaded-view.tsx";
import { isDialogOpen } from "./parts/open-dialog.ts";
import { ProgramsPage } from "./programs/programs-page.tsx";
import { SetUpPage } from "./set-up/set-up-page.tsx";
import { SettingsPage } from "./settings/settings-page.tsx";
import { useBlocked, useClients, useConnections, usePairings, useProviders, useRegistrations, useStatus } from "./state/live-sources.ts";
import { darkSystem, useMediaQuery } from "./state/use-media-query.ts";
import { useClockCorrection } from "./state/use-now.ts";
import { type Settings, useSettings } from "./state/use-settings.ts";
import { useWindowTarget } from "./state/use-window-target.ts";
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
    <>
      <WindowFrame
        pages={pages}
        page={page}
        onNavigate={place.goTo}
        messages={<WindowMessages status={status} page={page} onGoTo={place.goTo} />}
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
    </>
  );
}

interface Place {
  readonly page: PageName;
  /** The row of the connections' page that was asked for from outside. */
  readonly mark: ConnectionMark | undefined;
  readonly goTo: (page: PageName) => void;
  readonly dropMark: () => void;
}

/** Where the window is: where a person goes, or where a notification, a link or a program has it go. */
function usePlace(): Place {
  const [page, setPage] = useState<PageName>("connections");
  const [mark, setMark] = useState<ConnectionMark>();
  const [target, setTarget] = useState<WindowTarget>();
  const show = useCallback((next: WindowTarget) => {
    setPage(next.page);
    setMark(next.connectionId === undefined ? undefined : { connectionId: next.connectionId });
    setTarget(next);
  }, []);
  useWindowTarget(show);
  // Before the effect of a marked row, which takes the focus from here.
  useLayoutEffect(() => {
    if (target !== undefined && !isDialogOpen()) document.querySelector<HTMLElement>("main h1")?.focus();
  }, [target]);
  const dropMark = useCallback(() => setMark(undefined), []);
  const goTo = useCallback((next: PageName) => {
    setPage(next);
    setMark(undefined);
  }, []);
  return { page, mark, goTo, dropMark };
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
