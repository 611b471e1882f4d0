/** How this DMS is known at each provider: by a file from the vendor, or by hand. Secrets go in and never come out. */
import { Button, MessageBar, MessageBarBody, makeStyles, Text, tokens } from "@fluentui/react-components";
import { DocumentKeyRegular } from "@fluentui/react-icons/svg/document-key";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProviderView, RegistrationView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { EmptyState } from "../parts/empty-state.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { LoadedView } from "../parts/loaded-view.tsx";
import { Page } from "../parts/page.tsx";
import { useAction } from "../state/use-action.ts";
import type { Live } from "../state/use-live.ts";
import { RegistrationCards } from "./registration-cards.tsx";
import { RegistrationForm } from "./registration-form.tsx";

interface SetUpPageProps {
  readonly registrations: Live<readonly RegistrationView[]>;
  readonly providers: Live<readonly ProviderView[]>;
}

type Mode = { readonly kind: "list" } | { readonly kind: "add" } | { readonly kind: "edit"; readonly registration: RegistrationView };

export function SetUpPage({ registrations, providers }: SetUpPageProps) {
  const [mode, setMode] = useState<Mode>({ kind: "list" });
  const toList = (): void => setMode({ kind: "list" });
  return (
    <LoadedView live={providers}>
      {(known) => (
        <LoadedView live={registrations}>
          {(list) =>
            mode.kind === "list" ? (
              <RegistrationList
                registrations={list}
                providers={known}
                onAdd={() => setMode({ kind: "add" })}
                onEdit={(registration) => setMode({ kind: "edit", registration })}
              />
            ) : (
              <RegistrationForm
                stored={mode.kind === "edit" ? mode.registration : undefined}
                registrations={list}
                providers={known}
                onDone={toList}
              />
            )
          }
        </LoadedView>
      )}
    </LoadedView>
  );
}

interface RegistrationListProps {
  readonly registrations: readonly RegistrationView[];
  readonly providers: readonly ProviderView[];
  readonly onAdd: () => void;
  readonly onEdit: (registration: RegistrationView) => void;
}

function RegistrationList({ registrations, providers, onAdd, onEdit }: RegistrationListProps) {
  const { t } = useTranslation();
  const possible = providers.reduce((count, provider) => count + provider.environments.length, 0);
  const buttons = <WaysIn onAdd={registrations.length < possible ? onAdd : undefined} />;
  return (
    <Page title={t("setUp.title")} lead={t("setUp.lead")}>
      {registrations.length === 0 ? (
        <EmptyState icon={<DocumentKeyRegular />} title={t("setUp.emptyTitle")} text={t("setUp.emptyText")}>
          {buttons}
        </EmptyState>
      ) : (
        <>
          {buttons}
          <RegistrationCards registrations={registrations} providers={providers} onEdit={onEdit} />
        </>
      )}
    </Page>
  );
}

/** @param onAdd absent when every provider and environment has its registration already */
function WaysIn({ onAdd }: { readonly onAdd: (() => void) | undefined }) {
  const styles = useStyles();
  const { t } = useTranslation();
  const action = useAction();
  const [imported, setImported] = useState(0);
  const importFile = async (): Promise<void> => {
    setImported(0);
    const done = await action.run(() => invoke("registrations.import"));
    setImported(done?.value.imported ?? 0);
  };
  return (
    <>
      <div className={styles.buttons}>
        <Button appearance="primary" disabledFocusable={action.pending} onClick={() => void importFile()}>
          {t("setUp.import")}
        </Button>
        {onAdd === undefined ? null : <Button onClick={onAdd}>{t("setUp.enter")}</Button>}
      </div>
      {imported === 0 ? null : (
        <MessageBar intent="success">
          <MessageBarBody>
            <Text>{t("setUp.imported", { count: imported })}</Text>
          </MessageBarBody>
        </MessageBar>
      )}
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </>
  );
}

const useStyles = makeStyles({
  buttons: { display: "flex", flexWrap: "wrap", gap: tokens.spacingHorizontalM },
});
