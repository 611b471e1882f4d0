/** The parts of one row of the audit log: in plain words first, and in the words of the log below. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { AuditRowView, ProviderView } from "../../shared/views.ts";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";
import { Mark } from "../parts/mark.tsx";
import { plainText } from "../parts/plain-text.ts";
import { useTimeText } from "../parts/use-time-text.ts";
import { actionText, actorText, hasSubject, isAboutProgram, isGood, nameLimit, outcomeText } from "./audit-words.ts";

interface RowProps {
  readonly row: AuditRowView;
}
export interface RowOfProviderProps extends RowProps {
  readonly providers: readonly ProviderView[];
}

export function RowTime({ row }: RowProps) {
  const { t } = useTranslation();
  const time = useTimeText();
  // A row that cannot be read has none.
  if (row.atMs === 0) return t("common.unknown");
  return <time dateTime={new Date(row.atMs).toISOString()}>{time.exact(row.atMs)}</time>;
}

export function RowAction({ row }: RowProps) {
  const { t } = useTranslation();
  return (
    <>
      <Text block weight="semibold">
        {actionText(t, row.action)}
      </Text>
      <LogWord word={row.action} />
    </>
  );
}

/** A program chooses its name, and may choose that of this app; its id it cannot choose, so the id always stands with it. */
export function RowActor({ row }: RowProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { actor, actorName } = row;
  if (isStranger(row)) return <Stranger row={row} />;
  const isProgram = !["window", "command-line", "broker"].includes(actor);
  return (
    <span className={styles.words}>
      {actorText(t, row)}
      {isProgram ? <Quiet text={t("audit.programId", { id: plainText(actor, nameLimit) })} /> : null}
      {isProgram || actorName === undefined ? null : <Quiet text={t("audit.ofProgram", { name: plainText(actorName, nameLimit) })} />}
    </span>
  );
}

/** Whether it was done by a program that nobody knows; its `user` is what it said to be then. */
function isStranger({ actor }: AuditRowView): boolean {
  return actor === "unknown";
}

function Stranger({ row }: RowProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const id = plainText(row.user ?? "", nameLimit);
  return (
    <span className={styles.words}>
      {t("audit.stranger")}
      {id === "" ? null : <Quiet text={t("audit.saidToBe", { id })} />}
    </span>
  );
}

/** The connection or the program it was about. */
export function RowSubject({ row, providers }: RowOfProviderProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { provider, environment, user } = row;
  if (!hasSubject(row) || isStranger(row)) return t("common.none");
  if (isAboutProgram(row)) return <span className={styles.words}>{t("audit.programId", { id: plainText(user ?? "", nameLimit) })}</span>;
  return (
    <span className={styles.words}>
      {user === undefined ? null : plainText(user, nameLimit)}
      {provider === undefined ? null : (
        <span className={styles.line}>
          <Text size={200} className={styles.quiet}>
            {providerName(provider, providers)}
          </Text>
          {environment === undefined ? null : <EnvironmentBadge environment={environment} />}
        </span>
      )}
    </span>
  );
}

export function RowOutcome({ row, providers }: RowOfProviderProps) {
  const { t, i18n } = useTranslation();
  const name = row.provider === undefined ? undefined : providerName(row.provider, providers);
  return (
    <>
      <Mark good={isGood(row)} text={outcomeText(t, row, name, i18n.language)} />
      {row.outcome === "ok" ? null : <LogWord word={row.outcome} />}
    </>
  );
}

function LogWord({ word }: { readonly word: string }) {
  const styles = useStyles();
  return (
    <Text block size={200} className={styles.logWord}>
      {plainText(word, nameLimit)}
    </Text>
  );
}

function Quiet({ text }: { readonly text: string }) {
  const styles = useStyles();
  return (
    <Text block size={200} className={styles.quiet}>
      {text}
    </Text>
  );
}

function providerName(id: string, providers: readonly ProviderView[]): string {
  return providers.find((provider) => provider.id === id)?.name ?? plainText(id, nameLimit);
}

const useStyles = makeStyles({
  words: { overflowWrap: "anywhere" },
  line: { display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: tokens.spacingHorizontalXS },
  quiet: { color: tokens.colorNeutralForeground2 },
  logWord: { color: tokens.colorNeutralForeground2, fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere" },
});
