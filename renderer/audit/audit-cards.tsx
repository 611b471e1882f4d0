/** Rows of the audit log where a table would not fit: the same facts, one card a row. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { useTimeText } from "../parts/use-time-text.ts";
import { RowAction, RowActor, type RowOfProviderProps, RowOutcome, RowSubject, RowTime } from "./audit-cells.tsx";
import type { AuditListProps } from "./audit-table.tsx";
import { actionText, hasSubject } from "./audit-words.ts";

export function AuditCards({ rows, providers }: AuditListProps) {
  const { t } = useTranslation();
  return (
    <CardList label={t("audit.title")}>
      {rows.map((row) => (
        <AuditCard key={row.sequence} row={row} providers={providers} />
      ))}
    </CardList>
  );
}

function AuditCard(props: RowOfProviderProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const time = useTimeText();
  const { row } = props;
  const label = t("audit.entryName", { action: actionText(t, row.action), time: time.exact(row.atMs) });
  return (
    <Card label={label} testId={`audit-${row.sequence}`}>
      <div>
        <Text size={200} className={styles.time}>
          <RowTime row={row} />
        </Text>
        <RowAction row={row} />
      </div>
      <div>
        <RowOutcome {...props} />
      </div>
      <Facts
        facts={[
          [t("audit.column.actor"), <RowActor key="actor" row={row} />],
          [t("audit.column.subject"), hasSubject(row) ? <RowSubject key="subject" {...props} /> : undefined],
        ]}
      />
    </Card>
  );
}

const useStyles = makeStyles({
  time: { color: tokens.colorNeutralForeground2 },
});
