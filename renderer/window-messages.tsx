/** What stands above every page: a locked vault, a closed pipe, and notices until they are dismissed. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { StatusView } from "../shared/views.ts";
import { hasNoticeButton, NoticeButton } from "./notices/notice-button.tsx";
import { noticeKey } from "./notices/notice-key.ts";
import { NoticeMessage } from "./notices/notice-message.tsx";
import { useDismissedNotices } from "./notices/use-dismissed-notices.ts";
import { FailureMessage, Message } from "./parts/failure-message.tsx";
import type { Live } from "./state/use-live.ts";
import type { PageName } from "./window-frame.tsx";

interface WindowMessagesProps {
  readonly status: Live<StatusView>;
  readonly page: PageName;
  readonly onGoTo: (page: PageName) => void;
}

export function WindowMessages({ status, page, onGoTo }: WindowMessagesProps) {
  const { t } = useTranslation();
  const { isDismissed, dismiss } = useDismissedNotices(status.state);
  if (status.state.kind === "loading") return null;
  if (status.state.kind === "failed") {
    return <FailureMessage failure={status.state.failure} action={<Button onClick={status.reload}>{t("common.tryAgain")}</Button>} />;
  }
  const { vault, pipe, notices } = status.state.value;
  const open = notices.filter((notice) => !isDismissed(notice));
  const isLocked = vault.state === "locked";
  return (
    <>
      {isLocked && page !== "recovery" ? <LockedMessage onGoTo={onGoTo} /> : null}
      {/* A locked vault closes the pipe, too, and says so itself. */}
      {pipe.state === "closed" && !isLocked ? <FailureMessage failure={pipe.failure} /> : null}
      {open.map((notice) => (
        <NoticeMessage
          key={noticeKey(notice)}
          notice={notice}
          action={isLocked || !hasNoticeButton({ notice, page }) ? undefined : <NoticeButton notice={notice} onGoTo={onGoTo} />}
          onDismiss={() => dismiss(notice)}
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
