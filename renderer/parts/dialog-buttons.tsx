/** Cancel, and the button that does what the dialog is for. */
import { Button, DialogActions, DialogTrigger, makeStyles } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";

interface DialogButtonsProps {
  readonly confirmLabel: string;
  /** While it runs it cannot be started again. */
  readonly pending: boolean;
  /** Absent in a form, where the button submits it. */
  readonly onConfirm?: () => void;
}

export function DialogButtons({ confirmLabel, pending, onConfirm }: DialogButtonsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    // A size of its own: a dialog that opens from a message would take over the small one of its buttons.
    <DialogActions>
      <DialogTrigger disableButtonEnhancement>
        <Button size="medium">{t("common.cancel")}</Button>
      </DialogTrigger>
      <Button
        appearance="primary"
        size="medium"
        className={styles.confirm}
        disabledFocusable={pending}
        {...(onConfirm === undefined ? { type: "submit" } : { onClick: onConfirm })}
      >
        {confirmLabel}
      </Button>
    </DialogActions>
  );
}

const useStyles = makeStyles({
  // Fluent breaks a label long before its dialog is full. In a narrow window the buttons stand one above the other.
  confirm: { "@media (min-width: 641px)": { maxWidth: "none", whiteSpace: "nowrap" } },
});
