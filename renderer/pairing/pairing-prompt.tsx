/**
 * The question whether a program may use the connections. It stands over every page, and only Approve, Deny or Deny and block
 * (or the end of its time) closes it: neither Escape nor a click beside it is an answer, and Approve waits until it was seen.
 */
import { Dialog, DialogBody, DialogContent, DialogTitle, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { PairingView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { DialogSurface } from "../parts/dialog-surface.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";
import { AccessFields, type ProviderChoice } from "./access-fields.tsx";
import { accessPolicy, accessProblems, initialAccessForm, isSound } from "./access-form.ts";
import { BlockExplanation } from "./block-explanation.tsx";
import { BlockButtons, PairingButtons } from "./pairing-buttons.tsx";
import { PairingCode } from "./pairing-code.tsx";
import { ProgramClaims } from "./program-claims.tsx";

interface PairingPromptProps {
  readonly pairings: readonly PairingView[];
  readonly providers: readonly ProviderChoice[];
}

/** Shows the oldest pairing that still has time; the next one follows when it is answered. */
export function PairingPrompt({ pairings, providers }: PairingPromptProps) {
  const nowMs = useNow(1000);
  const pairing = pairings.find(({ expiresAtMs }) => expiresAtMs > nowMs);
  if (pairing === undefined) return null;
  // The key gives each program a fresh form: no choice made for one may be sent for another.
  return <PairingDialog key={pairing.pairingId} pairing={pairing} providers={providers} nowMs={nowMs} />;
}

interface PairingDialogProps {
  readonly pairing: PairingView;
  readonly providers: readonly ProviderChoice[];
  readonly nowMs: number;
}

function PairingDialog({ pairing, providers, nowMs }: PairingDialogProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  /** `asked` after the person came back from the question whether to block. */
  const [step, setStep] = useState<"choose" | "block" | "asked">("choose");
  const [form, setForm] = useState(initialAccessForm);
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const problems = accessProblems(form, nowMs);
  const { pairingId } = pairing;

  const goTo = (next: "block" | "asked"): void => {
    action.clear();
    setStep(next);
  };
  const approve = (): void => {
    setSubmitted(true);
    if (!isSound(problems)) return;
    void action.run(() => invoke("pairing.approve", { pairingId, access: accessPolicy(form, nowMs) }));
  };
  const isBlock = step === "block";
  return (
    <Dialog open modalType="alert">
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t(isBlock ? "pairing.block.title" : "pairing.title")}</DialogTitle>
          <DialogContent className={styles.content}>
            {/* First, so that no words of a program push it out of sight. */}
            {isBlock ? null : <PairingCode code={pairing.code} />}
            <ProgramClaims pairing={pairing} />
            {isBlock ? (
              <BlockExplanation />
            ) : (
              <AccessFields form={form} problems={submitted ? problems : undefined} providers={providers} onChange={setForm} />
            )}
            {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
          </DialogContent>
          {isBlock ? (
            <BlockButtons
              pending={action.pending}
              onBack={() => goTo("asked")}
              onBlock={() => void action.run(() => invoke("pairing.block", { pairingId }))}
            />
          ) : (
            <PairingButtons
              leftMs={pairing.expiresAtMs - nowMs}
              pending={action.pending}
              focusBlock={step === "asked"}
              onApprove={approve}
              onDeny={() => void action.run(() => invoke("pairing.deny", { pairingId }))}
              onBlock={() => goTo("block")}
            />
          )}
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

const useStyles = makeStyles({
  content: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalL, paddingBottom: tokens.spacingVerticalS },
});
