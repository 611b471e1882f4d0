/** The sentence under a connection, with its one button. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { FailureMessage, Message } from "../parts/failure-message.tsx";
import { ProxySignIn } from "../proxy/proxy-sign-in.tsx";
import { SavedProxyProvider, useWordsOrSaved } from "../proxy/saved-proxy.tsx";
import { type Action, useAction } from "../state/use-action.ts";
import type { ConnectionNotice as Notice } from "./connection-notice-text.ts";
import { SignInButton, startSignIn } from "./sign-in-button.tsx";
import { useNoticeSentences } from "./use-notice-sentences.ts";

interface ConnectionNoticeProps {
  readonly connection: ConnectionView;
  readonly notice: Notice;
}

export function ConnectionNotice(props: ConnectionNoticeProps) {
  return (
    <SavedProxyProvider news={props.connection.failure}>
      <NoticeInRow {...props} />
    </SavedProxyProvider>
  );
}

function NoticeInRow({ connection, notice }: ConnectionNoticeProps) {
  const action = useAction();
  const sentences = useNoticeSentences(connection);
  const { message, remedy } = sentences(notice);
  const words = useWordsOrSaved(connection.failure, { intent: notice.intent, title: message, text: remedy });
  return (
    <>
      <Message
        {...words}
        action={notice.action === undefined ? undefined : <NoticeButtons connection={connection} kind={notice.action} action={action} />}
      />
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </>
  );
}

interface NoticeButtonsProps {
  readonly connection: ConnectionView;
  readonly kind: NonNullable<Notice["action"]>;
  readonly action: Action;
}

function NoticeButtons({ connection, kind, action }: NoticeButtonsProps) {
  const { t } = useTranslation();
  if (kind === "proxySignIn") return <ProxySignIn failure={connection.failure} />;
  if (kind !== "whileConnecting") return <SignInButton connection={connection} kind={kind} action={action} />;
  return (
    <>
      <Button size="medium" disabledFocusable={action.pending} onClick={() => void action.run(() => startSignIn(connection))}>
        {t("connections.action.openAgain")}
      </Button>
      <Button
        size="medium"
        disabledFocusable={action.pending}
        onClick={() => void action.run(() => invoke("connect.cancel", { connectionId: connection.id }))}
      >
        {t("connections.action.cancel")}
      </Button>
    </>
  );
}
