/** One connection of a user who leaves: which it is, and below that what will happen or has happened to it. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import type { ConnectionView } from "../../shared/views.ts";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";

interface LeavingListProps {
  readonly label: string;
  readonly children: ReactNode;
}

export function LeavingList({ label, children }: LeavingListProps) {
  const styles = useStyles();
  return (
    <div>
      <Text block weight="semibold">
        {label}
      </Text>
      <ul aria-label={label} className={styles.list}>
        {children}
      </ul>
    </div>
  );
}

interface LeavingRowProps {
  readonly connection: Pick<ConnectionView, "providerName" | "environment">;
  readonly children: ReactNode;
}

export function LeavingRow({ connection, children }: LeavingRowProps) {
  const styles = useStyles();
  return (
    <li className={styles.row}>
      <div className={styles.head}>
        <Text weight="semibold">{connection.providerName}</Text>
        <EnvironmentBadge environment={connection.environment} />
      </div>
      {children}
    </li>
  );
}

const useStyles = makeStyles({
  list: { listStyleType: "none", margin: 0, padding: 0 },
  row: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalXS,
    padding: `${tokens.spacingVerticalM} 0`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
    overflowWrap: "anywhere",
  },
  head: { display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: tokens.spacingHorizontalS },
});
