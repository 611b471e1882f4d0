/** Puts back the earlier copy of the system's own key file; the app then starts again by itself. */
import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { BoxButtons } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";

export function UseEarlierKeys() {
  const { t } = useTranslation();
  const [restarting, setRestarting] = useState(false);
  const action = useAction();
  const use = async (): Promise<void> => {
    const done = await action.run(() => invoke("vault.useEarlierSystemKeys"));
    setRestarting(done !== undefined);
  };
  return (
    <>
      <BoxButtons>
        <Button disabledFocusable={action.pending || restarting} onClick={() => void use()}>
          {t("recovery.earlierKeys.confirm")}
        </Button>
        <output>{restarting ? t("recovery.earlierKeys.restarting") : ""}</output>
      </BoxButtons>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </>
  );
}
