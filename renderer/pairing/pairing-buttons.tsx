/**
 * The answers to a pairing. Invariants: Approve does nothing in its first second, so that neither a click meant for the page nor
 * the second half of a double click on the prompt before can be an answer, and nor do the buttons that take its place when the
 * program goes away; the focus never leaves the dialog with its button.
 */
import { Button, DialogActions, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { countdownText } from "../parts/use-time-text.ts";
import { useOnScreenFor } from "./use-on-screen-for.ts";

/** As browsers do with questions about permissions: longer than any double click, shorter than reading the question. */
const beforeAnswerMs = 1_000;

interface GoneButtonsProps {
  /** Until the prompt goes away. */
  readonly leftMs: number;
  readonly pending: boolean;
  /** Whether the person came back from the question that "Deny and block" asks. */
  readonly focusBlock: boolean;
  readonly onDeny: () => void;
  readonly onBlock: () => void;
}

interface PairingButtonsProps extends GoneButtonsProps {
  readonly onApprove: () => void;
}

export function PairingButtons({ leftMs, pending, focusBlock, onApprove, onDeny, onBlock }: PairingButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const mayApprove = useOnScreenFor(beforeAnswerMs);
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

/** For a program that has gone away. They come up where Approve and the choices were a moment ago, perhaps under a finger. */
export function GoneButtons({ leftMs, pending, focusBlock, onDeny, onBlock }: GoneButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const mayAnswer = useOnScreenFor(beforeAnswerMs);
  return (
    <DialogActions fluid className={styles.actions}>
      <Text className={styles.timeLeft}>{t("pairing.timeLeft", { time: countdownText(leftMs) })}</Text>
      <Button
        ref={focusBlock ? takeFocus : takeLostFocus}
        className={styles.button}
        disabledFocusable={pending || !mayAnswer}
        onClick={onBlock}
      >
        {t("pairing.denyAndBlock")}
      </Button>
      <Button className={styles.button} disabledFocusable={pending || !mayAnswer} onClick={onDeny}>
        {t("pairing.gone.close")}
      </Button>
    </DialogActions>
  );
}

interface BlockButtonsProps {
  readonly pending: boolean;
  /** The program does not wait any more. */
  readonly isGone: boolean;
  /** There is nothing left to go back to, or to block. */
  readonly isOver: boolean;
  readonly onBack: () => void;
  readonly onBlock: () => void;
}

export function BlockButtons({ pending, isGone, isOver, onBack, onBlock }: BlockButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <DialogActions fluid className={styles.actions}>
      <Button ref={takeFocus} className={styles.button} onClick={onBack}>
        {t(isOver ? "pairing.gone.close" : "pairing.block.back")}
      </Button>
      <Button appearance="primary" className={styles.button} disabledFocusable={pending || isOver} onClick={onBlock}>
        {t(isGone ? "pairing.gone.confirmBlock" : "pairing.block.confirm")}
      </Button>
    </DialogActions>
  );
}

// For a `ref`: the button that had the focus is gone with its step; without this the keyboard would be nowhere.
function takeFocus(button: HTMLElement | null): void {
  button?.focus();
}

// The same where only some of the controls went away: a person who is elsewhere in the dialog stays there.
function takeLostFocus(button: HTMLElement | null): void {
  if (document.activeElement === document.body) button?.focus();
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
