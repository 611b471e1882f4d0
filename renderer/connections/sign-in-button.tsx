/** The button that starts the sign-in of a connection that is already in the list. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import type { Action } from "../state/use-action.ts";
import type { SignInAction } from "./connection-notice-text.ts";

interface SignInButtonProps {
  readonly connection: ConnectionView;
  readonly kind: SignInAction;
  readonly action: Action;
}

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

/** For a connection that is already being signed in, the same call opens the same page again. */
export function startSignIn({ provider, environment, user, organisation }: ConnectionView) {
  return invoke("connect.start", { provider, environment, user, ...(organisation === undefined ? {} : { organisation }) });
}
