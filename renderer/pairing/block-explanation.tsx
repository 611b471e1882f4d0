/** What blocking a program means, before it is done: above all, which programs are refused from then on. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";

interface BlockExplanationProps {
  /** Whether the file of the program is known: then that is what is blocked, else its name. */
  readonly isByFile: boolean;
}

export function BlockExplanation({ isByFile }: BlockExplanationProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <div className={styles.root}>
      <Text>{t(isByFile ? "pairing.block.byFile" : "pairing.block.byName")}</Text>
      {isByFile ? null : <Text>{t("pairing.block.byNameOthers")}</Text>}
      <Text>{t("pairing.block.undo")}</Text>
    </div>
  );
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalXS },
});
