/** Revoke (ends the grant at the provider) and Forget (deletes it here only): each says what it does and what it does not. */
import { Button, Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { ok } from "../../shared/result.ts";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";
import { holdsGrant, isRevocable } from "./connection-notice-text.ts";
import { GrantScreensLink } from "./grant-screens-link.tsx";
import type { RevokedConnection } from "./revoked-messages.tsx";
import type { ShownConnection } from "./shown-connections.ts";
import { SignInButton } from "./sign-in-button.tsx";
import { useCopiesText } from "./use-copies-text.ts";

interface ConnectionProps {
  readonly connection: ConnectionView;
}

interface ConnectionActionsProps {
  readonly shown: ShownConnection;
  readonly onRevoked: (revoked: RevokedConnection) => void;
}

export function ConnectionActions({ shown: { connection, notice }, onRevoked }: ConnectionActionsProps) {
  const signIn = useAction();
  // Cancel comes first: nothing else makes sense while a browser page is open for this connection.
  if (connection.state === "Connecting") return null;
  return (
    <>
      {connection.state === "NotConnected" && notice === undefined ? (
        <SignInButton connection={connection} kind="connect" action={signIn} />
      ) : null}
      {isRevocable(connection) ? <RevokeButton connection={connection} onRevoked={onRevoked} /> : null}
      <ForgetButton connection={connection} />
      {signIn.failure === undefined ? null : <FailureMessage failure={signIn.failure} onDismiss={signIn.clear} />}
    </>
  );
}

function RevokeButton({ connection, onRevoked }: ConnectionProps & Pick<ConnectionActionsProps, "onRevoked">) {
  const { t } = useTranslation();
  const names = { provider: connection.providerName, user: connection.user };
  const label = t("connections.action.revoke");
  const revoke = async () => {
    const revoked = await invoke("connection.revoke", { connectionId: connection.id });
    // Not used any more, and the provider is told later: for the person it is done.
    const isPending = !revoked.ok && revoked.error.code === "revocation_pending";
    if (!revoked.ok && !isPending) return revoked;
    const copiesWorkUntilMs = revoked.ok ? revoked.value.copiesWorkUntilMs : connection.accessTokenExpiresAtMs;
    onRevoked({ connection, ...(copiesWorkUntilMs === undefined ? {} : { copiesWorkUntilMs }) });
    return ok();
  };
  return (
    <ConfirmDialog
      trigger={
        <Button size="small" aria-label={t("common.labelled", { action: label, subject: subjectOf(connection) })}>
          {label}
        </Button>
      }
      title={t("revoke.title", names)}
      confirmLabel={t("revoke.confirm")}
      onConfirm={revoke}
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
      {connection.hasGrantScreens ? <GrantScreensLink connectionId={connection.id} providerName={connection.providerName} /> : null}
    </>
  );
}

function CopiesHandedOut({ connection }: ConnectionProps) {
  const { t } = useTranslation();
  const copies = useCopiesText();
  const { accessTokenExpiresAtMs: atMs, accessTokenExpiryIsEstimate } = connection;
  return (
    <Text>{atMs === undefined ? t("revoke.copies.unknown") : copies({ atMs, isEstimate: accessTokenExpiryIsEstimate === true })}</Text>
  );
}

function subjectOf({ providerName, user }: ConnectionView): string {
  return `${providerName}, ${user}`;
}
