/** Proves the audit log, or says where it is broken and what to do; and saves the whole log to a file. */
import { Button, Spinner, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type AuditExportFormat, type AuditVerificationView, auditExportFormats } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Box, BoxButtons } from "../parts/card.tsx";
import { FailureMessage, Message } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";

type Done = { readonly kind: "checked"; readonly verification: AuditVerificationView } | { readonly kind: "saved" };

export function AuditTools() {
  const { t } = useTranslation();
  const action = useAction();
  const [done, setDone] = useState<Done>();
  const check = async (): Promise<void> => {
    setDone(undefined);
    const checked = await action.run(() => invoke("audit.verify"));
    if (checked !== undefined) setDone({ kind: "checked", verification: checked.value });
  };
  const save = async (format: AuditExportFormat): Promise<void> => {
    setDone(undefined);
    const saved = await action.run(() => invoke("audit.export", { format }));
    if (saved?.value.saved === true) setDone({ kind: "saved" });
  };
  return (
    <Box>
      <Text>{t("audit.tools")}</Text>
      <BoxButtons>
        <Button disabledFocusable={action.pending} onClick={() => void check()}>
          {t("audit.check.open")}
        </Button>
        {auditExportFormats.map((format) => (
          <Button key={format} disabledFocusable={action.pending} onClick={() => void save(format)}>
            {t(`audit.export.${format}`)}
          </Button>
        ))}
        {action.pending ? <Spinner size="tiny" aria-label={t("common.loading")} /> : null}
      </BoxButtons>
      {done === undefined ? null : <Outcome done={done} />}
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </Box>
  );
}

function Outcome({ done }: { readonly done: Done }) {
  const { t } = useTranslation();
  if (done.kind === "saved") return <Message intent="success" title={t("audit.export.done")} text={t("audit.export.doneText")} />;
  const { verification } = done;
  if (verification.kind === "intact") {
    return <Message intent="success" title={t("audit.check.intact")} text={t("audit.check.intactText", { count: verification.rows })} />;
  }
  const { problem, sequence } = verification;
  return <Message intent="error" title={t(`audit.check.${problem}`, { sequence })} text={t("audit.check.remedy")} />;
}
