/** One program: what it says it is, which file it is, what it may use and for how long, and how to change or end that. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { type DmsClientView, usualRequestsPerMinute } from "../../shared/views.ts";
import type { ProviderChoice } from "../pairing/access-fields.tsx";
import { accessEndMs, userIdLimit } from "../pairing/access-form.ts";
import { nameLimit } from "../pairing/program-claims.tsx";
import { ProgramPath } from "../pairing/program-path.tsx";
import { Card, Facts } from "../parts/card.tsx";
import { Message } from "../parts/failure-message.tsx";
import { Moment } from "../parts/moment.tsx";
import { plainText } from "../parts/plain-text.ts";
import { useTimeText } from "../parts/use-time-text.ts";
import { useNow } from "../state/use-now.ts";
import { ChangeAccessDialog } from "./change-access-dialog.tsx";
import { ProgramHead } from "./program-head.tsx";
import { RemoveProgramButton } from "./remove-program-button.tsx";

/** How late an end may be noticed. */
const stepMs = 15_000;

interface ProgramCardProps {
  readonly client: DmsClientView;
  readonly providers: readonly ProviderChoice[];
}

export function ProgramCard({ client, providers }: ProgramCardProps) {
  const { t } = useTranslation();
  const styles = useStyles();
  const nowMs = useNow(stepMs);
  const name = plainText(client.name, nameLimit);
  const endMs = accessEndMs(client.access);
  const hasEnded = endMs !== undefined && endMs <= nowMs;
  const isManaged = client.origin === "policy";
  return (
    <Card label={name}>
      <ProgramHead level="h2" name={name}>
        {isManaged ? null : (
          <>
            <ChangeAccessDialog client={client} name={name} providers={providers} />
            <RemoveProgramButton client={client} name={name} />
          </>
        )}
      </ProgramHead>
      {hasEnded ? <EndedMessage endMs={endMs} isManaged={isManaged} /> : null}
      <ProgramFacts client={client} name={name} hasEnded={hasEnded} providers={providers} />
      {isManaged ? <Text className={styles.quiet}>{t("programs.managed")}</Text> : null}
    </Card>
  );
}

function EndedMessage({ endMs, isManaged }: { readonly endMs: number; readonly isManaged: boolean }) {
  const { t } = useTranslation();
  const time = useTimeText();
  return (
    <Message
      intent="warning"
      title={t("programs.ended", { time: time.absolute(endMs) })}
      text={t(isManaged ? "programs.endedManagedRemedy" : "programs.endedRemedy")}
    />
  );
}

interface ProgramFactsProps extends ProgramCardProps {
  readonly name: string;
  /** Then the message above says when. */
  readonly hasEnded: boolean;
}

function ProgramFacts({ client, name, hasEnded, providers }: ProgramFactsProps) {
  const { t } = useTranslation();
  const { access, publisher, programPath, lastSeenAtMs } = client;
  const endMs = accessEndMs(access);
  const requests = access.requestsPerMinute;
  const providerName = (id: string): string => providers.find((provider) => provider.id === id)?.name ?? id;
  return (
    <Facts
      facts={[
        [t("programs.publisher"), publisher && plainText(publisher, nameLimit)],
        [t("programs.programPath"), programPath && <ProgramPath key="path" path={programPath} programName={name} />],
        [t("programs.users"), <Names key="users" names={access.users} all={t("programs.allUsers")} />],
        [
          t("programs.providers"),
          <Names
            key="providers"
            names={access.providers === "all" ? "all" : access.providers.map(providerName)}
            all={t("programs.allProviders")}
          />,
        ],
        [t("programs.ends"), endMs === undefined ? t("common.never") : hasEnded ? undefined : <Moment key="ends" atMs={endMs} />],
        [
          t("programs.requests"),
          requests === undefined || requests === usualRequestsPerMinute ? undefined : t("programs.requestsLimit", { limit: requests }),
        ],
        [t("programs.origin"), t(`programs.origins.${client.origin}`)],
        // What the policy names is as old as this run of the app.
        [t("programs.since"), client.origin === "policy" ? undefined : <Moment key="since" atMs={client.pairedAtMs} />],
        [t("programs.lastSeen"), lastSeenAtMs === undefined ? t("common.never") : <Moment key="seen" atMs={lastSeenAtMs} />],
      ]}
    />
  );
}

/** A file or a policy may hold any number of names, and anything as a name. */
const namesShown = 20;

function Names({ names, all }: { readonly names: "all" | readonly string[]; readonly all: string }) {
  const { t } = useTranslation();
  if (names === "all") return all;
  if (names.length === 0) return t("common.none");
  const shown = names.slice(0, namesShown).map((name) => plainText(name, userIdLimit));
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [t("programs.more", { count: more })] : [])].join(t("common.listSeparator"));
}

const useStyles = makeStyles({
  quiet: { color: tokens.colorNeutralForeground2 },
});
