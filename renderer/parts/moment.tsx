/** A moment as both "in 43 minutes" and a date, always right without a reload. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { useNow } from "../state/use-now.ts";
import { useTimeText } from "./use-time-text.ts";

/** How far a shown relative time may be behind: a quarter of its smallest unit. */
const stepMs = 15_000;

interface MomentProps {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly isEstimate?: boolean;
}

export function Moment({ atMs, isEstimate = false }: MomentProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const time = useTimeText();
  const nowMs = useNow(stepMs);
  return (
    <span className={styles.root}>
      <span>
        {time.relative(atMs, nowMs)}
        {isEstimate ? <span className={styles.estimate}> ({t("common.estimate")})</span> : null}
      </span>
      <Text size={200} className={styles.absolute}>
        <time dateTime={new Date(atMs).toISOString()}>{time.absolute(atMs)}</time>
      </Text>
    </span>
  );
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column" },
  estimate: { color: tokens.colorNeutralForeground2, fontStyle: "italic" },
  absolute: { color: tokens.colorNeutralForeground2 },
});
