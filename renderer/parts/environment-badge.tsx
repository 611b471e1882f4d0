/** The environment of a connection or registration. The test environment must never be taken for the real one. */
import { Badge, makeStyles } from "@fluentui/react-components";
import { BeakerRegular } from "@fluentui/react-icons/svg/beaker";
import { useTranslation } from "react-i18next";
import type { Environment } from "../../shared/views.ts";

export function EnvironmentBadge({ environment }: { readonly environment: Environment }) {
  const styles = useStyles();
  const { t } = useTranslation();
  const label = t(`environment.${environment}`);
  return environment === "acceptance" ? (
    <Badge appearance="filled" color="warning" icon={<BeakerRegular />} className={styles.badge}>
      {label}
    </Badge>
  ) : (
    <Badge appearance="outline" color="informative" className={styles.badge}>
      {label}
    </Badge>
  );
}

const useStyles = makeStyles({
  badge: { whiteSpace: "nowrap", flexShrink: 0 },
});
