/** Rows of the audit log where there is room for a table. */
import { makeStyles, mergeClasses, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { AuditRowView, ProviderView } from "../../shared/views.ts";
import { RowAction, RowActor, type RowOfProviderProps, RowOutcome, RowSubject, RowTime } from "./audit-cells.tsx";

const columns = ["time", "action", "actor", "subject", "outcome"] as const;

export interface AuditListProps {
  readonly rows: readonly AuditRowView[];
  readonly providers: readonly ProviderView[];
}

export function AuditTable({ rows, providers }: AuditListProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <table aria-label={t("audit.title")} className={styles.table}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col" className={mergeClasses(styles.cell, styles.columnName)}>
              {t(`audit.column.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <AuditTableRow key={row.sequence} row={row} providers={providers} />
        ))}
      </tbody>
    </table>
  );
}

function AuditTableRow(props: RowOfProviderProps) {
  const styles = useStyles();
  return (
    <tr data-testid={`audit-${props.row.sequence}`} className={styles.row}>
      <td className={mergeClasses(styles.cell, styles.time)}>
        <RowTime {...props} />
      </td>
      <th scope="row" className={mergeClasses(styles.cell, styles.action)}>
        <RowAction {...props} />
      </th>
      <td className={mergeClasses(styles.cell, styles.words)}>
        <RowActor {...props} />
      </td>
      <td className={mergeClasses(styles.cell, styles.words)}>
        <RowSubject {...props} />
      </td>
      <td className={mergeClasses(styles.cell, styles.outcome)}>
        <RowOutcome {...props} />
      </td>
    </tr>
  );
}

const useStyles = makeStyles({
  table: {
    width: "100%",
    borderCollapse: "separate",
    borderSpacing: 0,
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusXLarge,
    textAlign: "start",
  },
  cell: {
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalM}`,
    textAlign: "start",
    verticalAlign: "top",
    fontWeight: "inherit",
  },
  columnName: { color: tokens.colorNeutralForeground2, fontWeight: tokens.fontWeightSemibold },
  row: { "& > *": { borderTop: `1px solid ${tokens.colorNeutralStroke2}` } },
  time: { whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" },
  action: { minWidth: "150px" },
  words: { minWidth: "120px" },
  outcome: { width: "30%" },
});
