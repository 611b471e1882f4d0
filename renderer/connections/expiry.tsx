/** When the access and the grant of a connection end. */
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { Moment } from "../parts/moment.tsx";
import { holdsGrant, lastMoment } from "./connection-notice-text.ts";

interface ConnectionProps {
  readonly connection: ConnectionView;
}

/** End of the access token; the broker renews it by itself. */
export function AccessExpiry({ connection }: ConnectionProps) {
  return (
    <Expiry connection={connection} atMs={connection.accessTokenExpiresAtMs} isEstimate={connection.accessTokenExpiryIsEstimate === true} />
  );
}

/** After this a person must sign in again: the end of the grant, and without anything to renew with, that of the access. */
export function GrantExpiry({ connection }: ConnectionProps) {
  const { grantExpiresAtMs, accessTokenExpiresAtMs, isNotRenewable } = connection;
  const atMs = isNotRenewable ? lastMoment(connection) : grantExpiresAtMs;
  const isAccess = isNotRenewable && atMs === accessTokenExpiresAtMs;
  const isEstimate = isAccess ? connection.accessTokenExpiryIsEstimate === true : connection.grantExpiryIsEstimate;
  return <Expiry connection={connection} atMs={atMs} isEstimate={isEstimate} />;
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
