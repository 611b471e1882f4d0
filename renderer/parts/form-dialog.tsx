/**
 * A dialog with fields. Invariant: what was typed does not outlive the dialog; its form is mounted anew each time it opens.
 */
import { Dialog, DialogBody, DialogContent, DialogTitle, DialogTrigger, makeStyles, tokens } from "@fluentui/react-components";
import { type FormEvent, type ReactElement, type ReactNode, useState } from "react";
import type { Action } from "../state/use-action.ts";
import { DialogButtons } from "./dialog-buttons.tsx";
import { DialogSurface } from "./dialog-surface.tsx";
import { FailureMessage } from "./failure-message.tsx";

interface FormDialogProps {
  /** The button that opens the dialog; it gets the focus back. */
  readonly trigger: ReactElement;
  /** The form: a component of its own, so that its state ends with it. */
  readonly children: (close: () => void) => ReactNode;
}

export function FormDialog({ trigger, children }: FormDialogProps) {
  const [open, setOpen] = useState(false);
  return (
    // A click that misses the dialog must not throw away what was typed.
    <Dialog open={open} onOpenChange={(_event, data) => data.type !== "backdropClick" && setOpen(data.open)}>
      <DialogTrigger disableButtonEnhancement>{trigger}</DialogTrigger>
      <DialogSurface>{children(() => setOpen(false))}</DialogSurface>
    </Dialog>
  );
}

interface DialogFormProps {
  readonly title: string;
  readonly confirmLabel: string;
  /** What the form starts: no second time while it runs; its failure is shown and the dialog stays. */
  readonly action: Action;
  readonly onSubmit: () => Promise<void>;
  readonly children: ReactNode;
}

/** The inside of a `FormDialog`: title, fields, the failure of the last try, and the two buttons. */
export function DialogForm({ title, confirmLabel, action, onSubmit, children }: DialogFormProps) {
  const styles = useStyles();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void onSubmit();
  };
  return (
    <form noValidate onSubmit={submit}>
      <DialogBody>
        <DialogTitle>{title}</DialogTitle>
        <DialogContent className={styles.content}>
          {children}
          {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
        </DialogContent>
        <DialogButtons confirmLabel={confirmLabel} pending={action.pending} />
      </DialogBody>
    </form>
  );
}

const useStyles = makeStyles({
  content: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM, paddingBottom: tokens.spacingVerticalS },
});
