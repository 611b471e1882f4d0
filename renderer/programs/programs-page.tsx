/** Which programs of this computer may use the connections, which are blocked, and how to change that. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { WindowAppsRegular } from "@fluentui/react-icons/svg/window-apps";
import { useTranslation } from "react-i18next";
import type { BlockedProgramView, DmsClientView, StatusView } from "../../shared/views.ts";
import type { ProviderChoice } from "../pairing/access-fields.tsx";
import { CardList } from "../parts/card.tsx";
import { EmptyState } from "../parts/empty-state.tsx";
import { Message } from "../parts/failure-message.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page } from "../parts/page.tsx";
import type { Live } from "../state/use-live.ts";
import { BlockedPrograms } from "./blocked-programs.tsx";
import { ImportProgramFile } from "./import-program-file.tsx";
import { ProgramCard } from "./program-card.tsx";

interface ProgramsPageProps {
  readonly clients: Live<readonly DmsClientView[]>;
  readonly blocked: Live<readonly BlockedProgramView[]>;
  readonly providers: readonly ProviderChoice[];
  /** Whether programs may ask for approval on this computer. */
  readonly pairing: StatusView["pairing"];
}

export function ProgramsPage({ clients, blocked, providers, pairing }: ProgramsPageProps) {
  const { t } = useTranslation();
  return (
    <Page title={t("programs.title")} lead={t("programs.lead")}>
      {pairing === "forbidden" ? <Message intent="info" title={t("programs.forbidden.title")} text={t("programs.forbidden.text")} /> : null}
      <ImportProgramFile />
      <LoadedView live={clients}>
        {(list) => (list.length === 0 ? <NoPrograms pairing={pairing} /> : <Programs clients={list} providers={providers} />)}
      </LoadedView>
      {/* While the one list is not there, the other one has nothing to add. */}
      {clients.state.kind === "ready" ? <LoadedView live={blocked}>{(list) => <BlockedPrograms blocked={list} />}</LoadedView> : null}
    </Page>
  );
}

function NoPrograms({ pairing }: Pick<ProgramsPageProps, "pairing">) {
  const { t } = useTranslation();
  return pairing === "forbidden" ? (
    <EmptyState icon={<WindowAppsRegular />} title={t("programs.emptyForbiddenTitle")} text={t("programs.emptyForbiddenText")} />
  ) : (
    <EmptyState icon={<WindowAppsRegular />} title={t("programs.emptyTitle")} text={t("programs.emptyText")} />
  );
}

interface ProgramsProps extends Pick<ProgramsPageProps, "providers"> {
  readonly clients: readonly DmsClientView[];
}

function Programs({ clients, providers }: ProgramsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <>
      <CardList label={t("programs.title")}>
        {clients.map((client) => (
          <ProgramCard key={client.clientId} client={client} providers={providers} />
        ))}
      </CardList>
      <Text size={200} className={styles.quiet}>
        {t("programs.untrusted")}
      </Text>
    </>
  );
}

const useStyles = makeStyles({
  quiet: { color: tokens.colorNeutralForeground2 },
});
