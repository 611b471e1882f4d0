/** The way to the provider's own screens, where a person ends what DMS Connect cannot end. */
import { Link } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import { invoke } from "../api.ts";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useAction } from "../state/use-action.ts";

interface GrantScreensLinkProps {
  /** May be forgotten already. */
  readonly connectionId: string;
  readonly providerName: string;
}

export function GrantScreensLink({ connectionId, providerName }: GrantScreensLinkProps) {
  const { t } = useTranslation();
  const action = useAction();
  return (
    <>
      <div>
        <Link as="button" inline onClick={() => void action.run(() => invoke("connection.openGrantScreens", { connectionId }))}>
          {t("forget.openScreens", { provider: providerName })}
        </Link>
      </div>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
    </>
  );
}
