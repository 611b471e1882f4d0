/** Which programs of this computer were paired, what they may use, and how to end that. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { WindowAppsRegular } from "@fluentui/react-icons/svg/window-apps";
import { useTranslation } from "react-i18next";
import type { DmsClientView, ProviderView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { EmptyState } from "../parts/empty-state.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Moment } from "../parts/moment.tsx";
import { Page } from "../parts/page.tsx";
import { plainText } from "../parts/plain-text.ts";
import type { Live } from "../state/use-live.ts";

/** Longest name and publisher shown: programs choose both themselves. */
const nameLimit = 80;

interface ProgramsPageProps {
  readonly clients: Live<readonly DmsClientView[]>;
  readonly providers: readonly ProviderView[];
}

export function ProgramsPage({ clients, providers }: ProgramsPageProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <Page title={t("programs.title")} lead={t("programs.lead")}>
      <LoadedView live={clients}>
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<WindowAppsRegular />} title={t("programs.emptyTitle")} text={t("programs.emptyText")} />
          ) : (
            <>
              <CardList label={t("programs.title")}>
                {list.map((client) => (
                  <ProgramCard key={client.clientId} client={client} providers={providers} />
                ))}
              </CardList>
              <Text size={200} className={styles.quiet}>
                {t("programs.untrusted")}
              </Text>
            </>
          )
        }
      </LoadedView>
    </Page>
  );
}

interface ProgramCardProps {
  readonly client: DmsClientView;
  readonly providers: readonly ProviderView[];
}

function ProgramCard({ client, providers }: ProgramCardProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const name = plainText(client.name, nameLimit);
  const separator = t("common.listSeparator");
  const { access } = client;
  const users = access.users === "all" ? t("programs.allUsers") : access.users.join(separator);
  const providerNames =
    access.providers === "all"
      ? t("programs.allProviders")
      : access.providers.map((id) => providers.find((provider) => provider.id === id)?.name ?? id).join(separator);
  return (
    <Card label={name}>
      <div className={styles.head}>
        <div className={styles.names}>
          <Text as="h2" weight="semibold" size={400} block className={styles.name}>
            {name}
          </Text>
          {client.publisher === undefined ? null : (
            <Text className={styles.quiet}>{t("programs.publisher", { publisher: plainText(client.publisher, nameLimit) })}</Text>
          )}
        </div>
        <RemoveButton clientId={client.clientId} name={name} />
      </div>
      <Facts
        facts={[
          [t("programs.users"), users],
          [t("programs.providers"), providerNames],
          [t("programs.paired"), <Moment key="paired" atMs={client.pairedAtMs} />],
          [
            t("programs.lastSeen"),
            client.lastSeenAtMs === undefined ? t("common.never") : <Moment key="seen" atMs={client.lastSeenAtMs} />,
          ],
        ]}
      />
    </Card>
  );
}

function RemoveButton({ clientId, name }: { readonly clientId: string; readonly name: string }) {
  const { t } = useTranslation();
  const label = t("programs.remove");
  return (
    <ConfirmDialog
      trigger={<Button aria-label={t("common.labelled", { action: label, subject: name })}>{label}</Button>}
      title={t("programs.removeTitle", { name })}
      confirmLabel={t("programs.removeConfirm")}
      onConfirm={() => invoke("clients.remove", { clientId })}
    >
      <Text>{t("programs.removeDoes")}</Text>
      <Text>{t("programs.removeDoesNot")}</Text>
      <Text>{t("programs.removeAfter")}</Text>
    </ConfirmDialog>
  );
}

const useStyles = makeStyles({
  head: { display: "flex", justifyContent: "space-between", alignItems: "flex-start", columnGap: tokens.spacingHorizontalM },
  names: { minWidth: 0, overflowWrap: "anywhere" },
  name: { margin: 0 },
  quiet: { color: tokens.colorNeutralForeground2 },
});
