/** The sentence under a connection, with its one button. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { failureText } from "../i18n/failure-text.ts";
import { FailureMessage, Message } from "../parts/failure-message.tsx";
import { plainText } from "../parts/plain-text.ts";
import { type Action, useAction } from "../state/use-action.ts";
import { connectionNotice, type ConnectionNotice as Notice, type SignInAction } from "./connection-notice-text.ts";

/** Longest reason put into a sentence. */
const problemLimit = 100;

interface ConnectionProps {
  readonly connection: ConnectionView;
}

/** Shows nothing while there is nothing to say. */
export function ConnectionNotice({ connection }: ConnectionProps) {
  const action = useAction();
  const sentences = useNoticeSentences(connection);
  const notice = connectionNotice(connection);
  if (notice === undefined) return null;

  const { message, remedy } = sentences(notice);
  return (
    <>
      <Message
        intent={notice.intent}
        title={message}
        text={remedy}
        action={notice.action === undefined ? undefined : <NoticeButtons connection={connection} kind={notice.action} action={action} />}
      />
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </>
  );
}

interface SignInButtonProps extends ConnectionProps {
  readonly kind: SignInAction;
  readonly action: Action;
}

/** Starts the sign-in of a connection that is already in the list. */
export function SignInButton({ connection, kind, action }: SignInButtonProps) {
  const { t } = useTranslation();
  const label = t(`connections.action.${kind}`);
  return (
    <Button
      appearance="primary"
      size="medium"
      aria-label={t("common.labelled", { action: label, subject: `${connection.providerName}, ${connection.user}` })}
      disabledFocusable={action.pending}
      onClick={() => void action.run(() => startSignIn(connection))}
    >
      {label}
    </Button>
  );
}

interface NoticeButtonsProps extends ConnectionProps {
  readonly kind: NonNullable<Notice["action"]>;
  readonly action: Action;
}

function NoticeButtons({ connection, kind, action }: NoticeButtonsProps) {
  const { t } = useTranslation();
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

/** For a connection that is already being signed in, the same call opens the same page again. */
function startSignIn({ provider, environment, user, organisation }: ConnectionView) {
  return invoke("connect.start", { provider, environment, user, ...(organisation === undefined ? {} : { organisation }) });
}

function useNoticeSentences(connection: ConnectionView): (notice: Notice) => Pick<Failure, "message" | "remedy"> {
  const { t } = useTranslation();
  const names = { provider: connection.providerName, user: connection.user, problem: problemOf(connection) };
  return ({ text }) =>
    typeof text === "string"
      ? { message: t(`connections.notice.${text}`, names), remedy: t(`connections.notice.${text}Remedy`, names) }
      : failureText(t, text);
}

function problemOf({ failure }: ConnectionView): string {
  return plainText(String(failure?.params["problem"] ?? ""), problemLimit);
}
