/** The connections inside a vault that does not open: known by name only. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { VaultRecoveryView } from "../../shared/views.ts";
import { Box } from "../parts/card.tsx";
import { Section } from "../parts/page.tsx";

export type LockedConnection = VaultRecoveryView["connections"][number];

interface ConnectionNamesProps {
  readonly connections: readonly LockedConnection[];
}

/** Longest list that stands in a dialog without scrolling. */
const shortList = 6;

/** The same in a dialog: a long list scrolls by itself, so that the buttons stay in sight. */
export function ConnectionNamesInDialog({ connections }: ConnectionNamesProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const names = <ConnectionNames connections={connections} />;
  if (connections.length <= shortList) return names;
  return (
    // What scrolls must be in reach of the keyboard (axe: scrollable-region-focusable).
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section aria-label={t("recovery.startAnew.connections")} tabIndex={0} className={styles.scrolling}>
      {names}
    </section>
  );
}

interface LockedConnectionsProps extends ConnectionNamesProps {
  readonly canStartAnew: boolean;
}

/** Shows nothing where no connection is known. */
export function LockedConnections({ connections, canStartAnew }: LockedConnectionsProps) {
  const { t } = useTranslation();
  if (connections.length === 0) return null;
  return (
    <Section title={t("recovery.connections")}>
      <Box>
        <Text>{t(canStartAnew ? "recovery.connectionsIfAnew" : "recovery.connectionsKept")}</Text>
        <ConnectionNames connections={connections} />
      </Box>
    </Section>
  );
}

/** One line a connection. */
export function ConnectionNames({ connections }: ConnectionNamesProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const names = connections.map(({ providerName, environment, user }) =>
    t("connections.rowName", { provider: providerName, environment: t(`environment.${environment}`), user }),
  );
  if (names.length === 0) return null;
  return (
    <ul className={styles.list}>
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}

const useStyles = makeStyles({
  scrolling: {
    maxHeight: "160px",
    flexShrink: 0,
    overflowY: "auto",
    padding: tokens.spacingHorizontalS,
    border: `1px solid ${tokens.colorNeutralStroke1}`,
    borderRadius: tokens.borderRadiusMedium,
    ":focus-visible": { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  list: { margin: 0, paddingInlineStart: tokens.spacingHorizontalXL, overflowWrap: "anywhere" },
});
