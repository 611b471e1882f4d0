/** What blocking a program means, before it is done. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";

export function BlockExplanation() {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <div className={styles.root}>
      <Text>{t("pairing.block.does")}</Text>
      <Text>{t("pairing.block.undo")}</Text>
    </div>
  );
}

const useStyles = makeStyles({
  root: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalXS },
});
