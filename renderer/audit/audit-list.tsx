/** What was found in the audit log, and the way to older entries. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { HistoryRegular } from "@fluentui/react-icons/svg/history";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { AuditPageView, ProviderView } from "../../shared/views.ts";
import { EmptyState } from "../parts/empty-state.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { tableWindow, useMediaQuery } from "../state/use-media-query.ts";
import { AuditCards } from "./audit-cards.tsx";
import { AuditTable } from "./audit-table.tsx";
import type { AuditRows } from "./use-audit-rows.ts";

interface AuditListProps {
  readonly page: AuditPageView;
  readonly found: AuditRows;
  readonly isFiltered: boolean;
  readonly providers: readonly ProviderView[];
}

export function AuditList({ page, found, isFiltered, providers }: AuditListProps) {
  const { t } = useTranslation();
  const hasRoomForTable = useMediaQuery(tableWindow);
  const { rows } = page;
  if (rows.length === 0) {
    const which = isFiltered ? "nothingFound" : "empty";
    return <EmptyState icon={<HistoryRegular />} title={t(`audit.${which}Title`)} text={t(`audit.${which}Text`)} />;
  }
  return (
    <>
      {hasRoomForTable ? <AuditTable rows={rows} providers={providers} /> : <AuditCards rows={rows} providers={providers} />}
      <ShowMore page={page} found={found} />
    </>
  );
}

function ShowMore({ page, found }: Pick<AuditListProps, "page" | "found">) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { older, showOlder } = found;
  const end = useRef<HTMLSpanElement>(null);
  const pressed = useRef(false);
  // The button is gone with the last older entry; without this the keyboard would start again at the top of the window.
  useEffect(() => {
    if (page.hasMore || !pressed.current) return;
    pressed.current = false;
    end.current?.focus({ preventScroll: true });
  }, [page.hasMore]);
  const show = (): void => {
    pressed.current = true;
    void showOlder();
  };
  return (
    <>
      {older.failure === undefined ? null : <FailureMessage failure={older.failure} onDismiss={older.clear} />}
      <div className={styles.line}>
        {page.hasMore ? (
          <Button disabledFocusable={older.pending || found.loading} onClick={show}>
            {t("audit.more")}
          </Button>
        ) : (
          <span ref={end} tabIndex={-1} className={styles.end}>
            {t("audit.all")}
          </span>
        )}
        <output>
          <Text className={styles.quiet}>{t("audit.shown", { count: page.rows.length })}</Text>
        </output>
      </div>
    </>
  );
}

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalM },
  end: { outlineStyle: "none" },
  quiet: { color: tokens.colorNeutralForeground2 },
});
