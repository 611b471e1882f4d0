/** A question before something that cannot be undone. It says what will and what will not happen, and stays open if it fails. */
import { Dialog, DialogBody, DialogContent, DialogTitle, DialogTrigger, makeStyles, tokens } from "@fluentui/react-components";
import { type ReactElement, type ReactNode, useState } from "react";
import type { Result } from "../../shared/result.ts";
import { useAction } from "../state/use-action.ts";
import { DialogButtons } from "./dialog-buttons.tsx";
import { DialogSurface } from "./dialog-surface.tsx";
import { FailureMessage } from "./failure-message.tsx";

interface ConfirmDialogProps {
  /** The button that opens the dialog; it gets the focus back. */
  readonly trigger: ReactElement;
  readonly title: string;
  readonly confirmLabel: string;
  readonly onConfirm: () => Promise<Result<unknown>>;
  readonly children: ReactNode;
}

export function ConfirmDialog({ trigger, title, confirmLabel, onConfirm, children }: ConfirmDialogProps) {
  const styles = useStyles();
  const [open, setOpen] = useState(false);
  const action = useAction();
  const confirm = async (): Promise<void> => {
    if ((await action.run(onConfirm)) !== undefined) setOpen(false);
  };
  const change = (next: boolean): void => {
    action.clear();
    setOpen(next);
  };

  return (
    <Dialog open={open} onOpenChange={(_event, data) => change(data.open)} modalType="alert">
      <DialogTrigger disableButtonEnhancement>{trigger}</DialogTrigger>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{title}</DialogTitle>
          <DialogContent className={styles.content}>
            {children}
            {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
          </DialogContent>
          <DialogButtons confirmLabel={confirmLabel} pending={action.pending} onConfirm={() => void confirm()} />
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

const useStyles = makeStyles({
  content: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalM,
    overflowWrap: "anywhere",
    paddingBottom: tokens.spacingVerticalS,
  },
});
