/** Connections where a table would not fit: the same facts, one card a connection. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";
import { ConnectionActions } from "./connection-actions.tsx";
import { ConnectionNotice } from "./connection-notice.tsx";
import { holdsGrant } from "./connection-notice-text.ts";
import type { ConnectionListProps, ConnectionRowProps } from "./connection-row.ts";
import { ConnectionState } from "./connection-state.tsx";
import { AccessExpiry, GrantExpiry } from "./expiry.tsx";
import { useConnectionName } from "./use-connection-name.ts";

export function ConnectionCards({ connections, mark, onRevoked }: ConnectionListProps) {
  const { t } = useTranslation();
  const name = useConnectionName();
  return (
    <CardList label={t("connections.title")}>
      {connections.map((shown) => (
        <Card
          key={shown.connection.id}
          label={name(shown.connection)}
          testId={`connection-${shown.connection.id}`}
          mark={mark?.connectionId === shown.connection.id ? mark : undefined}
        >
          <CardContent shown={shown} onRevoked={onRevoked} />
        </Card>
      ))}
    </CardList>
  );
}

function CardContent({ shown, onRevoked }: Omit<ConnectionRowProps, "mark">) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { connection, notice } = shown;
  return (
    <>
      <div className={styles.line}>
        <Text weight="semibold" size={400}>
          {connection.providerName}
        </Text>
        <EnvironmentBadge environment={connection.environment} />
      </div>
      <Text className={styles.user}>
        {connection.user}
        {connection.organisation === undefined ? null : (
          <Text block size={200} className={styles.quiet}>
            {t("connections.organisation", { organisation: connection.organisation })}
          </Text>
        )}
      </Text>
      <div>
        <ConnectionState shown={shown} />
      </div>
      {notice === undefined ? null : <ConnectionNotice connection={connection} notice={notice} />}
      {holdsGrant(connection) ? (
        <Facts
          facts={[
            [t("connections.column.access"), <AccessExpiry key="access" connection={connection} />],
            [t("connections.column.grant"), <GrantExpiry key="grant" connection={connection} />],
          ]}
        />
      ) : null}
      <div className={styles.line}>
        <ConnectionActions shown={shown} onRevoked={onRevoked} />
      </div>
    </>
  );
}

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, ":empty": { display: "none" } },
  user: { overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground2 },
});
