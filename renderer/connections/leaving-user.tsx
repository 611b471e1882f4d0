/** An employee leaves: every connection of one user ends, at every provider, in one step. */
import { Button, Dialog, Text, useRestoreFocusTarget } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { BoxButtons } from "../parts/card.tsx";
import { DialogSurface } from "../parts/dialog-surface.tsx";
import { Section } from "../parts/page.tsx";
import { LeavingUserForm } from "./leaving-user-form.tsx";
import { LeavingUserResult, type LeftUser } from "./leaving-user-result.tsx";

interface LeavingUserProps {
  readonly connections: readonly ConnectionView[];
}

/** The section, and its dialog: that one stays while it is open, even when the last connection has gone. */
export function LeavingUser({ connections }: LeavingUserProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const restoreFocus = useRestoreFocusTarget();
  return (
    <>
      {connections.length === 0 ? null : (
        <Section title={t("leaving.heading")}>
          <Text>{t("leaving.explain")}</Text>
          <BoxButtons>
            <Button {...restoreFocus} onClick={() => setOpen(true)}>
              {t("leaving.open")}
            </Button>
          </BoxButtons>
        </Section>
      )}
      {/* A click that misses the dialog must not take away what happened. */}
      <Dialog open={open} onOpenChange={(_event, data) => data.type !== "backdropClick" && setOpen(data.open)}>
        <DialogSurface>
          <LeavingUserSteps connections={connections} />
        </DialogSurface>
      </Dialog>
    </>
  );
}

/** Begins anew each time the dialog opens. */
function LeavingUserSteps({ connections }: LeavingUserProps) {
  const [left, setLeft] = useState<LeftUser>();
  return left === undefined ? (
    <LeavingUserForm connections={connections} onEnded={setLeft} />
  ) : (
    <LeavingUserResult left={left} connections={connections} onEndedAgain={setLeft} onAnother={() => setLeft(undefined)} />
  );
}
