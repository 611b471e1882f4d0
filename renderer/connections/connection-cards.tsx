/** Connections where a table would not fit: the same facts, one card a connection. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";
import { ConnectionActions } from "./connection-actions.tsx";
import { ConnectionNotice } from "./connection-notice.tsx";
import { holdsGrant } from "./connection-notice-text.ts";
import { ConnectionState } from "./connection-state.tsx";
import { AccessExpiry, GrantExpiry } from "./expiry.tsx";
import { useConnectionName } from "./use-connection-name.ts";

interface ConnectionCardsProps {
  readonly connections: readonly ConnectionView[];
}

export function ConnectionCards({ connections }: ConnectionCardsProps) {
  const { t } = useTranslation();
  const name = useConnectionName();
  return (
    <CardList label={t("connections.title")}>
      {connections.map((connection) => (
        <Card key={connection.id} label={name(connection)} testId={`connection-${connection.id}`}>
          <CardContent connection={connection} />
        </Card>
      ))}
    </CardList>
  );
}

function CardContent({ connection }: { readonly connection: ConnectionView }) {
  const styles = useStyles();
  const { t } = useTranslation();
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
      <ConnectionState state={connection.state} />
      <ConnectionNotice connection={connection} />
      {holdsGrant(connection) ? (
        <Facts
          facts={[
            [t("connections.column.access"), <AccessExpiry key="access" connection={connection} />],
            [t("connections.column.grant"), <GrantExpiry key="grant" connection={connection} />],
          ]}
        />
      ) : null}
      <div className={styles.line}>
        <ConnectionActions connection={connection} />
      </div>
    </>
  );
}

const useStyles = makeStyles({
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, ":empty": { display: "none" } },
  user: { overflowWrap: "anywhere" },
  quiet: { color: tokens.colorNeutralForeground2 },
});
