/** When the access and the grant of a connection end. */
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { Moment } from "../parts/moment.tsx";
import { holdsGrant } from "./connection-notice-text.ts";

interface ConnectionProps {
  readonly connection: ConnectionView;
}

/** End of the access token; the broker renews it by itself. */
export function AccessExpiry({ connection }: ConnectionProps) {
  return <Expiry connection={connection} atMs={connection.accessTokenExpiresAtMs} isEstimate={false} />;
}

/** End of the grant, after which a person must sign in again. */
export function GrantExpiry({ connection }: ConnectionProps) {
  return <Expiry connection={connection} atMs={connection.grantExpiresAtMs} isEstimate={connection.grantExpiryIsEstimate} />;
}

interface ExpiryProps extends ConnectionProps {
  readonly atMs: number | undefined;
  readonly isEstimate: boolean;
}

function Expiry({ connection, atMs, isEstimate }: ExpiryProps) {
  const { t } = useTranslation();
  if (!holdsGrant(connection)) return t("common.none");
  return atMs === undefined ? t("common.unknown") : <Moment atMs={atMs} isEstimate={isEstimate} />;
}
