/**
 * The question whether a program may use the connections. It stands over every page, and only Approve
 * or Deny (or the end of its time) closes it: neither Escape nor a click beside it is an answer.
 */
import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogTitle,
  makeStyles,
  Text,
  tokens,
} from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { PairingView, ProviderView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Facts } from "../parts/card.tsx";
import { DialogSurface } from "../parts/dialog-surface.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { plainText } from "../parts/plain-text.ts";
import { countdownText } from "../parts/use-time-text.ts";
import { useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";
import { AccessFields } from "./access-fields.tsx";
import { accessPolicy, accessProblems, initialAccessForm } from "./access-form.ts";
import { PairingCode } from "./pairing-code.tsx";

/** Longest name, publisher and reason shown; a program could send a page of text that pushes the buttons out of sight. */
const nameLimit = 80;
const reasonLimit = 200;

interface PairingPromptProps {
  readonly pairings: readonly PairingView[];
  readonly providers: readonly ProviderView[];
}

/** Shows the oldest pairing that still has time; the next one follows when it is answered. */
export function PairingPrompt({ pairings, providers }: PairingPromptProps) {
  const nowMs = useNow(1000);
  const pairing = pairings.find(({ expiresAtMs }) => expiresAtMs > nowMs);
  if (pairing === undefined) return null;
  // The key gives each program a fresh form: no choice made for one may be sent for another.
  return <PairingDialog key={pairing.pairingId} pairing={pairing} providers={providers} leftMs={pairing.expiresAtMs - nowMs} />;
}

interface PairingDialogProps {
  readonly pairing: PairingView;
  readonly providers: readonly ProviderView[];
  readonly leftMs: number;
}

function PairingDialog({ pairing, providers, leftMs }: PairingDialogProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const [form, setForm] = useState(initialAccessForm);
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const problems = accessProblems(form);
  const { pairingId } = pairing;

  const approve = (): void => {
    setSubmitted(true);
    if (problems.userList !== undefined || problems.providerIds !== undefined) return;
    void action.run(() => invoke("pairing.approve", { pairingId, access: accessPolicy(form) }));
  };
  return (
    <Dialog open modalType="alert">
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{t("pairing.title")}</DialogTitle>
          <DialogContent className={styles.content}>
            <ProgramFacts pairing={pairing} />
            <PairingCode code={pairing.code} />
            <AccessFields form={form} problems={submitted ? problems : undefined} providers={providers} onChange={setForm} />
            {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
          </DialogContent>
          <DialogActions>
            <Text className={styles.timeLeft}>{t("pairing.timeLeft", { time: countdownText(leftMs) })}</Text>
            <Button disabledFocusable={action.pending} onClick={() => void action.run(() => invoke("pairing.deny", { pairingId }))}>
              {t("pairing.deny")}
            </Button>
            <Button appearance="primary" disabledFocusable={action.pending} onClick={approve}>
              {t("pairing.approve")}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function ProgramFacts({ pairing: { name, publisher, reason } }: { readonly pairing: PairingView }) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <div className={styles.program}>
      <Facts
        facts={[
          [t("pairing.name"), <strong key="name">{plainText(name, nameLimit)}</strong>],
          [t("pairing.publisher"), publisher && plainText(publisher, nameLimit)],
          [t("pairing.reason"), reason && plainText(reason, reasonLimit)],
        ]}
      />
      <Text size={200} className={styles.quiet}>
        {t("pairing.untrusted")}
      </Text>
    </div>
  );
}

const useStyles = makeStyles({
  content: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalL, paddingBottom: tokens.spacingVerticalS },
  program: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalS },
  quiet: { color: tokens.colorNeutralForeground2 },
  timeLeft: { alignSelf: "center", color: tokens.colorNeutralForeground2, fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" },
});
