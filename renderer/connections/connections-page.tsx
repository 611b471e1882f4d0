/** The first page: connect a provider, and see how every connection is doing. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { KeyRegular } from "@fluentui/react-icons/svg/key";
import { PlugConnectedRegular } from "@fluentui/react-icons/svg/plug-connected";
import { useTranslation } from "react-i18next";
import type { ConnectionView, ProviderView } from "../../shared/views.ts";
import { EmptyState } from "../parts/empty-state.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page, Section } from "../parts/page.tsx";
import type { Live } from "../state/use-live.ts";
import { tableWindow, useMediaQuery } from "../state/use-media-query.ts";
import { ConnectDialog } from "./connect-dialog.tsx";
import { registeredEnvironments } from "./connect-form.ts";
import { ConnectionCards } from "./connection-cards.tsx";
import { ConnectionTable } from "./connection-table.tsx";

interface ConnectionsPageProps {
  readonly connections: Live<readonly ConnectionView[]>;
  readonly providers: Live<readonly ProviderView[]>;
  readonly usualUser: string;
  readonly onGoToSetUp: () => void;
}

export function ConnectionsPage({ connections, providers, usualUser, onGoToSetUp }: ConnectionsPageProps) {
  const { t } = useTranslation();
  return (
    <Page title={t("connections.title")} lead={t("connections.lead")}>
      <LoadedView live={connections}>
        {(list) => (
          <LoadedView live={providers}>
            {(known) => {
              const registered = known.filter((provider) => registeredEnvironments(provider).length > 0);
              if (registered.length === 0 && list.length === 0) return <NothingSetUp onGoToSetUp={onGoToSetUp} />;
              return (
                <>
                  <ConnectArea providers={registered} usualUser={usualUser} first={list.length === 0} />
                  {list.length === 0 ? null : <ConnectionList connections={list} />}
                </>
              );
            }}
          </LoadedView>
        )}
      </LoadedView>
    </Page>
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

function ConnectionList({ connections }: { readonly connections: readonly ConnectionView[] }) {
  const { t } = useTranslation();
  const hasRoomForTable = useMediaQuery(tableWindow);
  return (
    <Section title={t("connections.listHeading")}>
      {hasRoomForTable ? <ConnectionTable connections={connections} /> : <ConnectionCards connections={connections} />}
    </Section>
  );
}

const useStyles = makeStyles({
  buttons: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM },
  quiet: { color: tokens.colorNeutralForeground2, textAlign: "center" },
  code: { fontFamily: tokens.fontFamilyMonospace, color: tokens.colorNeutralForeground1 },
});
