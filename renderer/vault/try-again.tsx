/** Asks the keys of this computer once more. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import { invoke } from "../api.ts";
import { BoxButtons } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";

interface TryAgainProps {
  /** What the page says already: it is not said a second time. */
  readonly lockedBy: Failure;
  readonly isFirst: boolean;
}

export function TryAgain({ lockedBy, isFirst }: TryAgainProps) {
  const { t } = useTranslation();
  const { pending, failure, run, clear } = useAction();
  const sameAsBefore = failure?.code === lockedBy.code;
  return (
    <>
      <BoxButtons>
        <Button
          appearance={isFirst ? "primary" : "secondary"}
          disabledFocusable={pending}
          onClick={() => void run(() => invoke("vault.tryAgain"))}
        >
          {t("common.tryAgain")}
        </Button>
        <output>{sameAsBefore ? t("recovery.tryAgain.sameAsBefore") : ""}</output>
      </BoxButtons>
      {failure === undefined || sameAsBefore ? null : <FailureMessage failure={failure} onDismiss={clear} />}
    </>
  );
}
