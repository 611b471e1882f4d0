/** Revoke (ends the grant at the provider) and Forget (deletes it here only): each says what it does and what it does not. */
import { Button, Link, Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useTimeText } from "../parts/use-time-text.ts";
import { useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";
import { SignInButton } from "./connection-notice.tsx";
import { connectionNotice, holdsGrant, isRevocable } from "./connection-notice-text.ts";

interface ConnectionProps {
  readonly connection: ConnectionView;
}

export function ConnectionActions({ connection }: ConnectionProps) {
  const signIn = useAction();
  // Cancel comes first: nothing else makes sense while a browser page is open for this connection.
  if (connection.state === "Connecting") return null;
  const withoutNotice = connection.state === "NotConnected" && connectionNotice(connection) === undefined;
  return (
    <>
      {withoutNotice ? <SignInButton connection={connection} kind="connect" action={signIn} /> : null}
      {isRevocable(connection) ? <RevokeButton connection={connection} /> : null}
      <ForgetButton connection={connection} />
      {signIn.failure === undefined ? null : <FailureMessage failure={signIn.failure} onDismiss={signIn.clear} />}
    </>
  );
}

function RevokeButton({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const names = { provider: connection.providerName, user: connection.user };
  const label = t("connections.action.revoke");
  return (
    <ConfirmDialog
      trigger={
        <Button size="small" aria-label={t("common.labelled", { action: label, subject: subjectOf(connection) })}>
          {label}
        </Button>
      }
      title={t("revoke.title", names)}
      confirmLabel={t("revoke.confirm")}
      onConfirm={() => invoke("connection.revoke", { connectionId: connection.id })}
    >
      <Text>{t("revoke.does", names)}</Text>
      <CopiesHandedOut connection={connection} />
      <Text>{t("revoke.after", names)}</Text>
    </ConfirmDialog>
  );
}

function ForgetButton({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const names = { provider: connection.providerName, user: connection.user };
  const label = t("connections.action.forget");
  const neverConnected = connection.state === "NotConnected" && connection.connectedAtMs === undefined;
  return (
    <ConfirmDialog
      trigger={
        <Button size="small" aria-label={t("common.labelled", { action: label, subject: subjectOf(connection) })}>
          {label}
        </Button>
      }
      title={t("forget.title", names)}
      confirmLabel={t("forget.confirm")}
      onConfirm={() => invoke("connection.forget", { connectionId: connection.id })}
    >
      {neverConnected ? <Text>{t("forget.neverConnected")}</Text> : <ForgetExplanation connection={connection} />}
    </ConfirmDialog>
  );
}

function ForgetExplanation({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const names = { provider: connection.providerName };
  return (
    <>
      <Text>{t("forget.does", names)}</Text>
      <Text>{t("forget.doesNot", names)}</Text>
      {isRevocable(connection) ? <Text>{t("forget.useRevoke", names)}</Text> : null}
      {holdsGrant(connection) ? <CopiesHandedOut connection={connection} /> : null}
      {connection.hasGrantScreens ? <GrantScreensLink connection={connection} /> : null}
    </>
  );
}

function GrantScreensLink({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const action = useAction();
  return (
    <>
      <div>
        <Link
          as="button"
          inline
          onClick={() => void action.run(() => invoke("connection.openGrantScreens", { connectionId: connection.id }))}
        >
          {t("forget.openScreens", { provider: connection.providerName })}
        </Link>
      </div>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
    </>
  );
}

/** No provider can call back an access token that a program already holds (RFC 7009 section 3). */
function CopiesHandedOut({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const time = useTimeText();
  const nowMs = useNow(1000);
  const endsAtMs = connection.accessTokenExpiresAtMs;
  if (endsAtMs === undefined) return <Text>{t("revoke.copiesUnknown")}</Text>;
  if (endsAtMs <= nowMs) return <Text>{t("revoke.copiesEnded")}</Text>;
  return <Text>{t("revoke.copiesUntil", { time: time.absolute(endsAtMs) })}</Text>;
}

function subjectOf({ providerName, user }: ConnectionView): string {
  return `${providerName}, ${user}`;
}
