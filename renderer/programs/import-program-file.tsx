/** Takes in a program file and says how that went. The main process asks for the file and reads it: its keys never come here. */
import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { BoxButtons } from "../parts/card.tsx";
import { FailureMessage, Message } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";

export function ImportProgramFile() {
  const { t } = useTranslation();
  const action = useAction();
  /** 0 also when the person chose no file: then there is nothing to say. */
  const [imported, setImported] = useState(0);
  const importFile = async (): Promise<void> => {
    setImported(0);
    const done = await action.run(() => invoke("clients.import"));
    setImported(done?.value.imported ?? 0);
  };
  return (
    <>
      <BoxButtons>
        <Button disabledFocusable={action.pending} onClick={() => void importFile()}>
          {t("programs.import.open")}
        </Button>
      </BoxButtons>
      {imported === 0 ? null : (
        <Message
          intent="success"
          title={t("programs.import.done", { count: imported })}
          text={t("programs.import.after")}
          onDismiss={() => setImported(0)}
        />
      )}
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </>
  );
}
