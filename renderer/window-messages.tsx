/** What stands above every page: a locked vault, a closed pipe, and notices until they are dismissed. */
import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure, FailureCode } from "../shared/failure.ts";
import type { StatusView } from "../shared/views.ts";
import { FailureMessage, Message } from "./parts/failure-message.tsx";
import type { Live } from "./state/use-live.ts";
import type { PageName } from "./window-frame.tsx";

/** Where a person does what the notice asks for. */
const placeOfRemedy: Partial<Record<FailureCode, "connections" | "setUp">> = {
  vault_damaged: "connections",
  vault_changed: "connections",
  vault_rolled_back: "connections",
  vault_restored: "connections",
  vault_started_anew: "setUp",
};

interface WindowMessagesProps {
  readonly status: Live<StatusView>;
  readonly page: PageName;
  readonly onGoTo: (page: PageName) => void;
}

export function WindowMessages({ status, page, onGoTo }: WindowMessagesProps) {
  const { t } = useTranslation();
  const [dismissed, setDismissed] = useState<readonly string[]>([]);
  if (status.state.kind === "loading") return null;
  if (status.state.kind === "failed") {
    return <FailureMessage failure={status.state.failure} action={<Button onClick={status.reload}>{t("common.tryAgain")}</Button>} />;
  }
  const { vault, pipe, notices } = status.state.value;
  const open = notices.filter((notice) => !dismissed.includes(noticeKey(notice)));
  const isLocked = vault.state === "locked";
  return (
    <>
      {isLocked && page !== "recovery" ? <LockedMessage onGoTo={onGoTo} /> : null}
      {/* A locked vault closes the pipe, too, and says so itself. */}
      {pipe.state === "closed" && !isLocked ? <FailureMessage failure={pipe.failure} /> : null}
      {open.map((notice) => (
        <FailureMessage
          key={noticeKey(notice)}
          failure={notice}
          intent="warning"
          action={isLocked ? undefined : <RemedyButton code={notice.code} page={page} onGoTo={onGoTo} />}
          onDismiss={() => setDismissed([...dismissed, noticeKey(notice)])}
        />
      ))}
    </>
  );
}

function LockedMessage({ onGoTo }: Pick<WindowMessagesProps, "onGoTo">) {
  const { t } = useTranslation();
  return (
    <Message
      intent="error"
      title={t("vault.lockedMessage")}
      text={t("vault.lockedRemedy")}
      action={<Button onClick={() => onGoTo("recovery")}>{t("vault.goToRecovery")}</Button>}
    />
  );
}

interface RemedyButtonProps extends Pick<WindowMessagesProps, "page" | "onGoTo"> {
  readonly code: FailureCode;
}

/** Shows nothing where there is nowhere to go, or the person is there already. */
function RemedyButton({ code, page, onGoTo }: RemedyButtonProps) {
  const { t } = useTranslation();
  const place = placeOfRemedy[code];
  if (place === undefined || place === page) return null;
  return <Button onClick={() => onGoTo(place)}>{t(place === "connections" ? "connections.show" : "connections.empty.goToSetUp")}</Button>;
}

function noticeKey({ code, message }: Failure): string {
  return `${code} ${message}`;
}
