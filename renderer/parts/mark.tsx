/** Good or bad at a glance: as an icon beside the words, never as a colour alone. */
import { makeStyles, tokens } from "@fluentui/react-components";
import { CheckmarkCircleRegular } from "@fluentui/react-icons/svg/checkmark-circle";
import { ErrorCircleRegular } from "@fluentui/react-icons/svg/error-circle";

interface MarkProps {
  readonly good: boolean;
  readonly text: string;
}

export function Mark({ good, text }: MarkProps) {
  const styles = useStyles();
  return (
    <span className={styles.mark}>
      <span aria-hidden="true" className={good ? styles.good : styles.bad}>
        {good ? <CheckmarkCircleRegular /> : <ErrorCircleRegular />}
      </span>
      <span>{text}</span>
    </span>
  );
}

const useStyles = makeStyles({
  mark: { display: "inline-flex", alignItems: "flex-start", columnGap: tokens.spacingHorizontalXS },
  good: { color: tokens.colorStatusSuccessForeground1, fontSize: "20px", lineHeight: 0 },
  bad: { color: tokens.colorStatusDangerForeground1, fontSize: "20px", lineHeight: 0 },
});
