/** The first line of a program's card: its name, and what can be done. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";

interface ProgramHeadProps {
  readonly level: "h2" | "h3";
  /** Fit to be shown. */
  readonly name: string;
  /** Buttons. */
  readonly children: ReactNode;
}

export function ProgramHead({ level, name, children }: ProgramHeadProps) {
  const styles = useStyles();
  return (
    <div className={styles.root}>
      <Text as={level} weight="semibold" size={400} block className={styles.name}>
        {name}
      </Text>
      <div className={styles.buttons}>{children}</div>
    </div>
  );
}

const useStyles = makeStyles({
  root: {
    display: "flex",
    flexWrap: "wrap",
    justifyContent: "space-between",
    alignItems: "flex-start",
    gap: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalM}`,
  },
  name: { margin: 0, minWidth: 0, maxWidth: "100%", overflowWrap: "anywhere" },
  buttons: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalS },
});
