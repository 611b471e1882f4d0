/**
 * The answers to a pairing. Invariants: Approve does nothing in its first second, so that neither a click meant for the page nor
 * the second half of a double click on the prompt before can be an answer; the focus never leaves the dialog with its button.
 */
import { Button, DialogActions, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { countdownText } from "../parts/use-time-text.ts";
import { useOnScreenFor } from "./use-on-screen-for.ts";

/** As browsers do with questions about permissions: longer than any double click, shorter than reading the question. */
const beforeApproveMs = 1_000;

interface PairingButtonsProps {
  /** Until the pairing expires. */
  readonly leftMs: number;
  readonly pending: boolean;
  /** Whether the person came back from the question that "Deny and block" asks. */
  readonly focusBlock: boolean;
  readonly onApprove: () => void;
  readonly onDeny: () => void;
  readonly onBlock: () => void;
}

export function PairingButtons({ leftMs, pending, focusBlock, onApprove, onDeny, onBlock }: PairingButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const mayApprove = useOnScreenFor(beforeApproveMs);
  return (
    <DialogActions fluid className={styles.actions}>
      <Text className={styles.timeLeft}>{t("pairing.timeLeft", { time: countdownText(leftMs) })}</Text>
      <Button ref={focusBlock ? takeFocus : undefined} className={styles.button} disabledFocusable={pending} onClick={onBlock}>
        {t("pairing.denyAndBlock")}
      </Button>
      <Button className={styles.button} disabledFocusable={pending} onClick={onDeny}>
        {t("pairing.deny")}
      </Button>
      <Button appearance="primary" className={styles.button} disabledFocusable={pending || !mayApprove} onClick={onApprove}>
        {t("pairing.approve")}
      </Button>
    </DialogActions>
  );
}

interface BlockButtonsProps {
  readonly pending: boolean;
  readonly onBack: () => void;
  readonly onBlock: () => void;
}

export function BlockButtons({ pending, onBack, onBlock }: BlockButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <DialogActions fluid className={styles.actions}>
      <Button ref={takeFocus} className={styles.button} onClick={onBack}>
        {t("pairing.block.back")}
      </Button>
      <Button appearance="primary" className={styles.button} disabledFocusable={pending} onClick={onBlock}>
        {t("pairing.block.confirm")}
      </Button>
    </DialogActions>
  );
}

// For a `ref`: the button that had the focus is gone with its step; without this the keyboard would be nowhere.
function takeFocus(button: HTMLElement | null): void {
  button?.focus();
}

/** Where Fluent puts the buttons of a dialog one above the other. */
const narrow = "@media (max-width: 480px)";

const useStyles = makeStyles({
  actions: {
    justifySelf: "stretch",
    flexWrap: "wrap",
    justifyContent: "flex-end",
    // Side by side even there: a column of them would hide the questions above.
    [narrow]: { flexDirection: "row" },
  },
  // Fluent breaks a label long before its dialog is full.
  button: { maxWidth: "none", whiteSpace: "nowrap", [narrow]: { flexGrow: 1 } },
  timeLeft: {
    alignSelf: "center",
    marginInlineEnd: "auto",
    color: tokens.colorNeutralForeground2,
    fontVariantNumeric: "tabular-nums",
    whiteSpace: "nowrap",
    [narrow]: { flexBasis: "100%", marginInlineEnd: 0, textAlign: "center" },
  },
});
