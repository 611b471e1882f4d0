/**
 * The question whether a program may use the connections. It stands over every page, and only Approve, Deny or Deny and block
 * (or the end of its time) closes it: neither Escape nor a click beside it is an answer, and Approve waits until it was seen.
 * A program that goes away changes the question in place; the question whether to block it stays until it is answered.
 */
import { Dialog, DialogBody, DialogContent, DialogTitle, makeStyles, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { failure } from "../../shared/failure.ts";
import type { PairingView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { DialogSurface } from "../parts/dialog-surface.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { type Action, useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";
import { AccessFields, type ProviderChoice } from "./access-fields.tsx";
import { type AccessForm, type AccessProblems, accessPolicy, accessProblems, initialAccessForm, isSound } from "./access-form.ts";
import { BlockExplanation } from "./block-explanation.tsx";
import { GoneExplanation } from "./gone-explanation.tsx";
import { BlockButtons, GoneButtons, PairingButtons } from "./pairing-buttons.tsx";
import { PairingCode } from "./pairing-code.tsx";
import { ProgramClaims } from "./program-claims.tsx";
import { useShownPairing } from "./use-shown-pairing.ts";

interface PairingPromptProps {
  readonly pairings: readonly PairingView[];
  readonly providers: readonly ProviderChoice[];
}

/** Shows the oldest pairing that still has time; the next one follows when it is answered. */
export function PairingPrompt({ pairings, providers }: PairingPromptProps) {
  const nowMs = useNow(1000);
  const { shown, setBlockStep } = useShownPairing(pairings, nowMs);
  if (shown === undefined) return null;
  // The key gives each program a fresh form: no choice made for one may be sent for another.
  return <PairingDialog key={shown.pairing.pairingId} {...shown} providers={providers} nowMs={nowMs} setBlockStep={setBlockStep} />;
}

interface PairingDialogProps {
  readonly pairing: PairingView;
  readonly isBlock: boolean;
  /** It was taken away while the person was asked whether to block the program. */
  readonly isOver: boolean;
  readonly providers: readonly ProviderChoice[];
  readonly nowMs: number;
  readonly setBlockStep: ReturnType<typeof useShownPairing>["setBlockStep"];
}

function PairingDialog({ pairing, isBlock, providers, nowMs, setBlockStep, ...shown }: PairingDialogProps) {
  const { t } = useTranslation();
  const [wasAsked, setWasAsked] = useState(false);
  const [form, setForm] = useState(initialAccessForm);
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const problems = accessProblems(form, nowMs);
  const { pairingId } = pairing;
  // While an answer is on its way, that the pairing is over is only the answer's success.
  const isOver = shown.isOver && !action.pending;
  const isGone = pairing.isGone === true || isOver;

  const goTo = (step: "block" | "choose"): void => {
    action.clear();
    if (step === "choose") setWasAsked(true);
    setBlockStep(step === "block" ? { pairing, isAnswered: false } : undefined);
  };
  const approve = (): void => {
    setSubmitted(true);
    if (!isSound(problems)) return;
    void action.run(() => invoke("pairing.approve", { pairingId, access: accessPolicy(form, nowMs) }));
  };
  const block = async (): Promise<void> => {
    const blocked = await action.run(() => invoke("pairing.block", { pairingId }));
    if (blocked !== undefined) setBlockStep({ pairing, isAnswered: true });
  };
  const answers = {
    leftMs: pairing.expiresAtMs - nowMs,
    pending: action.pending,
    focusBlock: wasAsked,
    onDeny: () => void action.run(() => invoke("pairing.deny", { pairingId })),
    onBlock: () => goTo("block"),
  };
  return (
    <Dialog open modalType="alert">
      <DialogSurface isOverPages>
        <DialogBody>
          <DialogTitle>{t(isBlock ? (isGone ? "pairing.gone.blockTitle" : "pairing.block.title") : "pairing.title")}</DialogTitle>
          <PairingContent
            {...{ pairing, isBlock, isOver, isGone, providers, form, action }}
            problems={submitted ? problems : undefined}
            onChange={setForm}
          />
          {isBlock ? (
            <BlockButtons {...{ isGone, isOver, pending: action.pending }} onBack={() => goTo("choose")} onBlock={() => void block()} />
          ) : isGone ? (
            <GoneButtons {...answers} />
          ) : (
            <PairingButtons {...answers} onApprove={approve} />
          )}
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

interface PairingContentProps extends Pick<PairingDialogProps, "pairing" | "isBlock" | "isOver" | "providers"> {
  readonly isGone: boolean;
  readonly form: AccessForm;
  readonly problems: AccessProblems | undefined;
  readonly action: Action;
  readonly onChange: (form: AccessForm) => void;
}

function PairingContent(props: PairingContentProps) {
  const { pairing, isBlock, isOver, isGone, providers, form, problems, action, onChange } = props;
  const styles = useStyles();
  const problem = action.failure ?? (isOver ? failure("pairing_unknown") : undefined);
  return (
    <DialogContent className={styles.content}>
      {/* First, so that no words of a program push it out of sight. */}
      {isBlock ? null : isGone ? <GoneExplanation /> : <PairingCode code={pairing.code} />}
      <ProgramClaims pairing={pairing} />
      {isBlock && !isOver ? <BlockExplanation isByFile={pairing.programPath !== undefined} /> : null}
      {isBlock || isGone ? null : <AccessFields form={form} problems={problems} providers={providers} onChange={onChange} />}
      {problem === undefined ? null : <FailureMessage failure={problem} />}
    </DialogContent>
  );
}

const useStyles = makeStyles({
  content: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalL, paddingBottom: tokens.spacingVerticalS },
});
