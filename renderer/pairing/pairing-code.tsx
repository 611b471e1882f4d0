/** The six digits that program and window both show: the person's only proof of which program is asking. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";

export function PairingCode({ code }: { readonly code: string }) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <div className={styles.root}>
      <Text weight="semibold" align="center">
        {t("pairing.codeLabel")}
      </Text>
      {/* Digit by digit for a screen reader, in two groups for the eye. */}
      <span className={styles.spoken}>{Array.from(code).join(" ")}</span>
      <span aria-hidden="true" className={styles.code} data-testid="pairing-code">
        <span>{code.slice(0, 3)}</span>
        <span className={styles.secondHalf}>{code.slice(3)}</span>
      </span>
      <Text size={200} align="center">
        {t("pairing.codeWrong")}
      </Text>
    </div>
  );
}

const useStyles = makeStyles({
  root: {
    position: "relative",
    display: "flex",
    flexDirection: "column",
    alignItems: "center",
    rowGap: tokens.spacingVerticalXS,
    padding: tokens.spacingHorizontalM,
    borderRadius: tokens.borderRadiusLarge,
    backgroundColor: tokens.colorNeutralBackground3,
    textAlign: "center",
  },
  spoken: { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap" },
  code: {
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: "40px",
    lineHeight: "48px",
    fontWeight: tokens.fontWeightBold,
    letterSpacing: "0.06em",
  },
  secondHalf: { marginInlineStart: "0.4em" },
});
