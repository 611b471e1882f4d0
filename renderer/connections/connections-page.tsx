/** The first page: connect a provider, and see how every connection is doing. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { KeyRegular } from "@fluentui/react-icons/svg/key";
import { PlugConnectedRegular } from "@fluentui/react-icons/svg/plug-connected";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import type { ConnectionView, ProviderView } from "../../shared/views.ts";
import { EmptyState } from "../parts/empty-state.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page, Section } from "../parts/page.tsx";
import type { Live } from "../state/use-live.ts";
import { useNow } from "../state/use-now.ts";
import { ConnectDialog } from "./connect-dialog.tsx";
import { registeredEnvironments } from "./connect-form.ts";
import { ConnectionList } from "./connection-list.tsx";
import type { ConnectionMark } from "./connection-row.ts";
import { LeavingUser } from "./leaving-user.tsx";
import { ProviderPauses } from "./provider-pauses.tsx";
import { type RevokedConnection, RevokedMessages } from "./revoked-messages.tsx";
import { shownConnections } from "./shown-connections.ts";
import { useMarkWaiting } from "./use-mark-waiting.ts";

/** How far the words about an end may be behind. */
const minuteMs = 60_000;

interface ConnectionsPageProps {
  readonly connections: Live<readonly ConnectionView[]>;
  readonly providers: Live<readonly ProviderView[]>;
  /** What stands above the page: it is not told again in each row. */
  readonly notices: readonly Failure[];
  readonly usualUser: string;
  /** The row to show. */
  readonly mark: ConnectionMark | undefined;
  readonly onMarkDropped: () => void;
  readonly onGoToSetUp: () => void;
}

export function ConnectionsPage(props: ConnectionsPageProps) {
  const { connections, providers } = props;
  const { t } = useTranslation();
  return (
    <Page title={t("connections.title")} lead={t("connections.lead")}>
      <LoadedView live={connections}>
        {(list) => <LoadedView live={providers}>{(known) => <Connections {...props} connections={list} providers={known} />}</LoadedView>}
      </LoadedView>
    </Page>
  );
}

interface ConnectionsProps extends Omit<ConnectionsPageProps, "connections" | "providers"> {
  readonly connections: readonly ConnectionView[];
  readonly providers: readonly ProviderView[];
}

function Connections({ connections, providers, notices, usualUser, mark, onMarkDropped, onGoToSetUp }: ConnectionsProps) {
  const [revoked, setRevoked] = useState<readonly RevokedConnection[]>([]);
  const nowMs = useNow(minuteMs);
  const shown = useMemo(() => shownConnections(connections, { notices, providers, nowMs }), [connections, notices, providers, nowMs]);
  const registered = providers.filter((provider) => registeredEnvironments(provider).length > 0);
  const isEmpty = connections.length === 0;
  useMarkWaiting(mark !== undefined && !connections.some(({ id }) => id === mark.connectionId), onMarkDropped);
  const addRevoked = (one: RevokedConnection): void =>
    setRevoked((others) => [one, ...others.filter(({ connection }) => connection.id !== one.connection.id)]);
  return (
    <>
      <RevokedMessages
        revoked={revoked}
        connections={connections}
        onDismiss={(one) => setRevoked((all) => all.filter((each) => each !== one))}
      />
      {registered.length === 0 && isEmpty ? <NothingSetUp onGoToSetUp={onGoToSetUp} /> : null}
      <ConnectArea providers={registered} usualUser={usualUser} first={isEmpty} />
      <ProviderPauses providers={providers} />
      {isEmpty ? null : <ConnectionList connections={shown} mark={mark} onRevoked={addRevoked} />}
      {/* Always there: its last page outlives the last connection. */}
      <LeavingUser connections={connections} />
    </>
  );
}

function NothingSetUp({ onGoToSetUp }: Pick<ConnectionsPageProps, "onGoToSetUp">) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <EmptyState icon={<KeyRegular />} title={t("connections.empty.noRegistrationTitle")} text={t("connections.empty.noRegistrationText")}>
      <Button appearance="primary" size="large" onClick={onGoToSetUp}>
        {t("connections.empty.goToSetUp")}
      </Button>
      <Text size={200} className={styles.quiet}>
        {t("connections.empty.demo")} <code className={styles.code}>{t("connections.empty.demoCommand")}</code>
      </Text>
    </EmptyState>
  );
}

interface ConnectAreaProps {
  readonly providers: readonly ProviderView[];
  readonly usualUser: string;
  /** Nothing was ever connected: say what the buttons are for. */
  readonly first: boolean;
}

function ConnectArea({ providers, usualUser, first }: ConnectAreaProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  if (providers.length === 0) return null;
  const buttons = (
    <div className={styles.buttons}>
      {providers.map((provider) => (
        <ConnectDialog key={provider.id} provider={provider} usualUser={usualUser} />
      ))}
    </div>
  );
  if (!first) return <Section title={t("connections.connectHeading")}>{buttons}</Section>;
  return (
    <EmptyState
      icon={<PlugConnectedRegular />}
      title={t("connections.empty.noConnectionTitle")}
      text={t("connections.empty.noConnectionText")}
    >
      {buttons}
    </EmptyState>
  );
}

const useStyles = makeStyles({
  buttons: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM },
  quiet: { color: tokens.colorNeutralForeground2, textAlign: "center" },
  code: { fontFamily: tokens.fontFamilyMonospace, color: tokens.colorNeutralForeground1 },
});
