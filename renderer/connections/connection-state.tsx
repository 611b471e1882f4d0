/** The state of a connection as icon and word: never as a colour alone. */
import { makeStyles, mergeClasses, Text, tokens } from "@fluentui/react-components";
import { ArrowClockwiseRegular } from "@fluentui/react-icons/svg/arrow-clockwise";
import { ArrowSyncRegular } from "@fluentui/react-icons/svg/arrow-sync";
import { CheckmarkCircleRegular } from "@fluentui/react-icons/svg/checkmark-circle";
import { ErrorCircleRegular } from "@fluentui/react-icons/svg/error-circle";
import { HourglassRegular } from "@fluentui/react-icons/svg/hourglass";
import { OpenRegular } from "@fluentui/react-icons/svg/open";
import { PlugDisconnectedRegular } from "@fluentui/react-icons/svg/plug-disconnected";
import { QuestionCircleRegular } from "@fluentui/react-icons/svg/question-circle";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ConnectionStateKind } from "../../shared/views.ts";
import type { ShownConnection } from "./shown-connections.ts";

type Tone = "good" | "busy" | "needsYou" | "idle";

const appearance: Record<ConnectionStateKind, { readonly icon: ReactElement; readonly tone: Tone }> = {
  NotConnected: { icon: <PlugDisconnectedRegular />, tone: "idle" },
  Connecting: { icon: <OpenRegular />, tone: "busy" },
  Active: { icon: <CheckmarkCircleRegular />, tone: "good" },
  Refreshing: { icon: <ArrowSyncRegular />, tone: "good" },
  Retrying: { icon: <ArrowClockwiseRegular />, tone: "busy" },
  InDoubt: { icon: <QuestionCircleRegular />, tone: "busy" },
  ReconnectRequired: { icon: <ErrorCircleRegular />, tone: "needsYou" },
  Revoking: { icon: <HourglassRegular />, tone: "idle" },
  Forgotten: { icon: <PlugDisconnectedRegular />, tone: "idle" },
};

interface ConnectionStateProps {
  readonly shown: Pick<ShownConnection, "connection" | "waitsFor">;
}

export function ConnectionState({ shown: { connection, waitsFor } }: ConnectionStateProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { icon, tone } = appearance[connection.state];
  return (
    <>
      <span className={styles.root}>
        <span aria-hidden="true" className={mergeClasses(styles.icon, styles[tone])}>
          {icon}
        </span>
        <span className={styles.word}>{t(`connections.state.${connection.state}`)}</span>
      </span>
      {waitsFor === undefined ? null : (
        <Text block size={200} className={styles.idle}>
          {t(`connections.waitsFor.${waitsFor}`, { provider: connection.providerName })}
        </Text>
      )}
    </>
  );
}

const useStyles = makeStyles({
  root: { display: "inline-flex", alignItems: "center", columnGap: tokens.spacingHorizontalXS },
  icon: { fontSize: "20px", lineHeight: 0, flexShrink: 0 },
  word: { fontWeight: tokens.fontWeightSemibold },
  good: { color: tokens.colorStatusSuccessForeground1 },
  busy: { color: tokens.colorBrandForeground1 },
  needsYou: { color: tokens.colorStatusDangerForeground1 },
  idle: { color: tokens.colorNeutralForeground2 },
});
