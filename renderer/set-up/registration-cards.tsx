/** The registrations of this computer, one card each. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ProviderView, RegistrationView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Card, CardList, Facts } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";

interface RegistrationCardsProps {
  readonly registrations: readonly RegistrationView[];
  readonly providers: readonly ProviderView[];
  readonly onEdit: (registration: RegistrationView) => void;
}

export function RegistrationCards({ registrations, providers, onEdit }: RegistrationCardsProps) {
  const { t } = useTranslation();
  return (
    <CardList label={t("setUp.title")}>
      {registrations.map((registration) => (
        <RegistrationCard
          key={`${registration.provider} ${registration.environment}`}
          registration={registration}
          providerName={providers.find(({ id }) => id === registration.provider)?.name ?? registration.provider}
          onEdit={() => onEdit(registration)}
        />
      ))}
    </CardList>
  );
}

interface RegistrationCardProps {
  readonly registration: RegistrationView;
  readonly providerName: string;
  readonly onEdit: () => void;
}

function RegistrationCard({ registration, providerName, onEdit }: RegistrationCardProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const { environment, organisations } = registration;
  const name = t("setUp.registrationName", { provider: providerName, environment: t(`environment.${environment}`) });
  return (
    <Card label={name}>
      <div className={styles.head}>
        <div className={styles.names}>
          <Text as="h2" weight="semibold" size={400} className={styles.name}>
            {providerName}
          </Text>
          <EnvironmentBadge environment={environment} />
        </div>
        <div className={styles.buttons}>
          <Button aria-label={t("common.labelled", { action: t("setUp.edit"), subject: name })} onClick={onEdit}>
            {t("setUp.edit")}
          </Button>
          <RemoveButton registration={registration} providerName={providerName} name={name} />
        </div>
      </div>
      <Facts
        facts={[
          [t("setUp.clientId"), registration.clientId],
          [t("setUp.clientSecret"), t(registration.hasClientSecret ? "setUp.secretStored" : "setUp.secretMissing")],
          [t("setUp.redirectUris"), <Lines key="redirectUris" lines={registration.redirectUris} />],
          [t("setUp.scope"), registration.scope],
          [t("setUp.organisations"), organisations.length === 0 ? undefined : organisations.join(t("common.listSeparator"))],
        ]}
      />
    </Card>
  );
}

function Lines({ lines }: { readonly lines: readonly string[] }) {
  return lines.map((line) => <div key={line}>{line}</div>);
}

interface RemoveButtonProps extends Omit<RegistrationCardProps, "onEdit"> {
  readonly name: string;
}

function RemoveButton({ registration, providerName, name }: RemoveButtonProps) {
  const { t } = useTranslation();
  const { provider, environment } = registration;
  return (
    <ConfirmDialog
      trigger={<Button aria-label={t("common.labelled", { action: t("setUp.remove"), subject: name })}>{t("setUp.remove")}</Button>}
      title={t("setUp.removeTitle", { provider: providerName, environment: t(`environment.${environment}`) })}
      confirmLabel={t("setUp.removeConfirm")}
      onConfirm={() => invoke("registrations.remove", { provider, environment })}
    >
      <Text>{t("setUp.removeDoes")}</Text>
      <Text>{t("setUp.removeDoesNot")}</Text>
    </ConfirmDialog>
  );
}

const useStyles = makeStyles({
  head: { display: "flex", flexWrap: "wrap", justifyContent: "space-between", alignItems: "center", gap: tokens.spacingHorizontalM },
  names: { display: "flex", flexWrap: "wrap", alignItems: "center", gap: tokens.spacingHorizontalS, minWidth: 0 },
  name: { margin: 0 },
  buttons: { display: "flex", gap: tokens.spacingHorizontalS },
});
