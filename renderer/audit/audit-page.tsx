/** Who used what, and who was refused: the audit log, its proof and its export. */
import { Button, Checkbox, Field, Input, makeStyles, Spinner, tokens } from "@fluentui/react-components";
import { ArrowClockwiseRegular } from "@fluentui/react-icons/svg/arrow-clockwise";
import { SearchRegular } from "@fluentui/react-icons/svg/search";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProviderView } from "../../shared/views.ts";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page } from "../parts/page.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { AuditList } from "./audit-list.tsx";
import { AuditTools } from "./audit-tools.tsx";
import { type AuditFilter, type AuditRows, useAuditRows } from "./use-audit-rows.ts";
import { useSettled } from "./use-settled.ts";

/** Between two letters of somebody who types. */
const typingPauseMs = 300;
/** As the main process bounds it. */
const longestText = 256;

interface AuditPageProps {
  readonly providers: readonly ProviderView[];
}

export function AuditPage({ providers }: AuditPageProps) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState<AuditFilter>({ text: "", onlyRefused: false });
  const text = useSettled(filter.text, typingPauseMs);
  const found = useAuditRows({ text, onlyRefused: filter.onlyRefused });
  useUnsavedInput(filter.text !== "");
  const isFiltered = text.trim() !== "" || filter.onlyRefused;
  return (
    <Page title={t("audit.title")} lead={t("audit.lead")}>
      <AuditTools />
      <FilterFields filter={filter} onChange={setFilter} found={found} />
      <LoadedView live={found.live}>
        {(page) => <AuditList page={page} found={found} isFiltered={isFiltered} providers={providers} />}
      </LoadedView>
    </Page>
  );
}

interface FilterFieldsProps {
  readonly filter: AuditFilter;
  readonly onChange: (filter: AuditFilter) => void;
  readonly found: AuditRows;
}

function FilterFields({ filter, onChange, found }: FilterFieldsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <search className={styles.filter}>
      <Field label={t("audit.search")} hint={t("audit.searchHint")} className={styles.text}>
        <Input
          type="search"
          value={filter.text}
          maxLength={longestText}
          autoComplete="off"
          spellCheck={false}
          contentBefore={<SearchRegular />}
          onChange={(_event, data) => onChange({ ...filter, text: data.value })}
        />
      </Field>
      <Checkbox
        label={t("audit.onlyRefused")}
        checked={filter.onlyRefused}
        onChange={(_event, data) => onChange({ ...filter, onlyRefused: data.checked === true })}
      />
      <div className={styles.refresh}>
        <Button icon={<ArrowClockwiseRegular />} disabledFocusable={found.loading} onClick={found.live.reload}>
          {t("audit.refresh")}
        </Button>
        {found.loading && found.live.state.kind === "ready" ? <Spinner size="tiny" aria-label={t("common.loading")} /> : null}
      </div>
    </search>
  );
}

const useStyles = makeStyles({
  filter: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalL}` },
  text: { flex: "1 1 280px", maxWidth: "480px" },
  refresh: { display: "flex", alignItems: "center", columnGap: tokens.spacingHorizontalS },
});
