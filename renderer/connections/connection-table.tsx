/** Connections where there is room for a table. Each one is a row group: its row, and below it what there is to say about it. */
import { makeStyles, mergeClasses, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";
import { useShowWhenMarked } from "../parts/use-show-when-marked.ts";
import { ConnectionActions } from "./connection-actions.tsx";
import { ConnectionNotice } from "./connection-notice.tsx";
import type { ConnectionListProps, ConnectionRowProps } from "./connection-row.ts";
import { ConnectionState } from "./connection-state.tsx";
import { AccessExpiry, GrantExpiry } from "./expiry.tsx";
import { useConnectionName } from "./use-connection-name.ts";

const columns = ["provider", "user", "state", "access", "grant", "actions"] as const;

export function ConnectionTable({ connections, mark, onRevoked }: ConnectionListProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <table aria-label={t("connections.title")} className={styles.table}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col" className={mergeClasses(styles.cell, styles.columnName)}>
              {t(`connections.column.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      {connections.map((shown) => (
        <ConnectionRows
          key={shown.connection.id}
          shown={shown}
          mark={mark?.connectionId === shown.connection.id ? mark : undefined}
          onRevoked={onRevoked}
        />
      ))}
    </table>
  );
}

function ConnectionRows({ shown, mark, onRevoked }: ConnectionRowProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const element = useShowWhenMarked<HTMLTableSectionElement>(mark);
  const { connection, notice } = shown;
  const name = useConnectionName()(connection);
  return (
    <tbody
      ref={element}
      tabIndex={mark === undefined ? undefined : -1}
      aria-label={name}
      data-testid={`connection-${connection.id}`}
      className={mergeClasses(styles.group, mark !== undefined && styles.marked)}
    >
      <tr>
        <th scope="row" className={mergeClasses(styles.cell, styles.provider)}>
          <Text block weight="semibold">
            {connection.providerName}
          </Text>
          <EnvironmentBadge environment={connection.environment} />
        </th>
        <td className={mergeClasses(styles.cell, styles.user)}>
          {connection.user}
          {connection.organisation === undefined ? null : (
            <Text block size={200} className={styles.quiet}>
              {t("connections.organisation", { organisation: connection.organisation })}
            </Text>
          )}
        </td>
        <td className={mergeClasses(styles.cell, styles.oneLine)}>
          <ConnectionState shown={shown} />
        </td>
        <td className={mergeClasses(styles.cell, styles.time)}>
          <AccessExpiry connection={connection} />
        </td>
        <td className={mergeClasses(styles.cell, styles.time)}>
          <GrantExpiry connection={connection} />
        </td>
        <td className={styles.cell}>
          <div className={styles.actions}>
            <ConnectionActions shown={shown} onRevoked={onRevoked} />
          </div>
        </td>
      </tr>
      {notice === undefined ? null : (
        <tr>
          <td colSpan={columns.length} className={styles.noticeCell}>
            <ConnectionNotice connection={connection} notice={notice} />
          </td>
        </tr>
      )}
    </tbody>
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
    padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalM}`,
    textAlign: "start",
    verticalAlign: "top",
    fontWeight: "inherit",
  },
  columnName: { color: tokens.colorNeutralForeground2, fontWeight: tokens.fontWeightSemibold },
  group: { "& > tr:first-child > *": { borderTop: `1px solid ${tokens.colorNeutralStroke2}` } },
  marked: {
    outline: `2px solid ${tokens.colorCompoundBrandStroke}`,
    outlineOffset: "-2px",
    "& > tr > *": { backgroundColor: tokens.colorNeutralBackground1Selected },
  },
  provider: { minWidth: "130px" },
  time: { minWidth: "96px" },
  oneLine: { whiteSpace: "nowrap" },
  user: { overflowWrap: "anywhere", minWidth: "120px" },
  quiet: { color: tokens.colorNeutralForeground2 },
  actions: { display: "flex", gap: tokens.spacingHorizontalS },
  noticeCell: { padding: `0 ${tokens.spacingHorizontalM} ${tokens.spacingVerticalM}` },
});
