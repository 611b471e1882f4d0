/** What stands above every page: a locked vault, a closed pipe, and notices until they are dismissed. */
import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../shared/failure.ts";
import type { StatusView } from "../shared/views.ts";
import { FailureMessage } from "./parts/failure-message.tsx";
import type { Live } from "./state/use-live.ts";

export function WindowMessages({ status }: { readonly status: Live<StatusView> }) {
  const { t } = useTranslation();
  const [dismissed, setDismissed] = useState<readonly string[]>([]);
  if (status.state.kind === "loading") return null;
  if (status.state.kind === "failed") {
    return <FailureMessage failure={status.state.failure} action={<Button onClick={status.reload}>{t("common.tryAgain")}</Button>} />;
  }
  const { vault, pipe, notices } = status.state.value;
  const open = notices.filter((notice) => !dismissed.includes(noticeKey(notice)));
  return (
    <>
      {vault.state === "locked" ? <FailureMessage failure={vault.failure} /> : null}
      {pipe.state === "closed" ? <FailureMessage failure={pipe.failure} /> : null}
      {open.map((notice) => (
        <FailureMessage
          key={noticeKey(notice)}
          failure={notice}
          intent="warning"
          onDismiss={() => setDismissed([...dismissed, noticeKey(notice)])}
        />
      ))}
    </>
  );
}

function noticeKey({ code, message }: Failure): string {
  return `${code} ${message}`;
}
