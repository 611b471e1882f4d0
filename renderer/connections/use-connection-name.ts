/** One name for a connection wherever it needs one, e.g. for a screen reader. */
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";

export function useConnectionName(): (connection: ConnectionView) => string {
  const { t } = useTranslation();
  return ({ providerName, environment, user }) =>
    t("connections.rowName", { provider: providerName, environment: t(`environment.${environment}`), user });
}
