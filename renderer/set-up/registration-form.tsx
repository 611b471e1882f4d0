/** The form behind "Enter by hand" and "Edit". */
import { Button, makeStyles, tokens } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProviderView, RegistrationView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Box } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { Page } from "../parts/page.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { useAction } from "../state/use-action.ts";
import { AdvancedFields } from "./advanced-fields.tsx";
import { MainFields } from "./main-fields.tsx";
import {
  advancedFields,
  type DraftField,
  type DraftProblems,
  draftProblems,
  failedField,
  isSameDraft,
  registrationDraft,
  registrationInput,
} from "./registration-draft.ts";
import { type RegistrationTarget, TargetField } from "./target-field.tsx";

interface RegistrationFormProps {
  /** The registration to edit; absent for a new one. */
  readonly stored: RegistrationView | undefined;
  readonly registrations: readonly RegistrationView[];
  readonly providers: readonly ProviderView[];
  readonly onDone: () => void;
}

export function RegistrationForm({ stored, registrations, providers, onDone }: RegistrationFormProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  // Computed once: the registration that is being saved here must not vanish from its own choice.
  const [targets] = useState(() => possibleTargets(stored, registrations, providers));
  const [target, setTarget] = useState(targets[0]);
  const form = useRegistrationForm(stored, target, onDone);
  useUnsavedInput(form.isChanged || target !== targets[0]);
  const environmentName = target && t(`environment.${target.environment}`);
  const title =
    stored === undefined ? t("form.addTitle") : t("form.editTitle", { provider: target?.provider.name, environment: environmentName });
  if (target === undefined) return null;

  return (
    <Page title={title}>
      <form noValidate className={styles.form} onSubmit={form.submit}>
        <Box>
          {stored === undefined ? <TargetField targets={targets} value={target} onChange={setTarget} /> : null}
          <MainFields
            draft={form.draft}
            problems={form.problems}
            hasStoredSecret={stored?.hasClientSecret === true}
            hasOrganisations={target.provider.hasOrganisations}
            onChange={form.change}
          />
        </Box>
        <AdvancedFields
          draft={form.draft}
          problems={form.problems}
          open={form.advancedOpen}
          onToggle={form.setAdvancedOpen}
          onChange={form.change}
        />
        {form.failure === undefined ? null : <FailureMessage failure={form.failure} />}
        <div className={styles.buttons}>
          <Button type="submit" appearance="primary" disabledFocusable={form.pending}>
            {t("common.save")}
          </Button>
          <Button onClick={onDone}>{t("common.cancel")}</Button>
        </div>
      </form>
    </Page>
  );
}

function useRegistrationForm(stored: RegistrationView | undefined, target: RegistrationTarget | undefined, onDone: () => void) {
  const [initial] = useState(() => registrationDraft(stored));
  const [draft, setDraft] = useState(initial);
  const [submitted, setSubmitted] = useState(false);
  const [advancedOpen, setAdvancedOpen] = useState(false);
  const action = useAction();
  const own = draftProblems(draft);
  const fromMain = action.failure && failedField(action.failure);
  const problems: DraftProblems = { ...(fromMain && { [fromMain.field]: fromMain.problem }), ...(submitted ? own : {}) };

  const openAdvancedFor = (fields: readonly DraftField[]): void => {
    if (fields.some((field) => advancedFields.includes(field))) setAdvancedOpen(true);
  };
  const save = async (): Promise<void> => {
    setSubmitted(true);
    // The keys of the problems are fields of the draft.
    const invalid = Object.keys(own) as DraftField[];
    openAdvancedFor(invalid);
    if (target === undefined || invalid.length > 0) return;
    const { provider, environment } = target;
    const saved = await action.run(async () => {
      const result = await invoke("registrations.save", registrationInput(provider.id, environment, draft));
      const refused = result.ok ? undefined : failedField(result.error);
      if (refused !== undefined) openAdvancedFor([refused.field]);
      return result;
    });
    if (saved !== undefined) onDone();
  };
  return {
    draft,
    isChanged: !isSameDraft(draft, initial),
    problems,
    advancedOpen,
    setAdvancedOpen,
    pending: action.pending,
    /** A failure that no field can show. */
    failure: fromMain === undefined ? action.failure : undefined,
    change: (next: typeof draft): void => {
      action.clear();
      setDraft(next);
    },
    submit: (event: FormEvent): void => {
      event.preventDefault();
      void save();
    },
  };
}

function possibleTargets(
  stored: RegistrationView | undefined,
  registrations: readonly RegistrationView[],
  providers: readonly ProviderView[],
): readonly RegistrationTarget[] {
  const all = providers.flatMap((provider) => provider.environments.map(({ environment }) => ({ provider, environment })));
  const isTarget = (registration: RegistrationView, { provider, environment }: RegistrationTarget): boolean =>
    registration.provider === provider.id && registration.environment === environment;
  if (stored !== undefined) return all.filter((target) => isTarget(stored, target));
  return all.filter((target) => !registrations.some((registration) => isTarget(registration, target)));
}

const useStyles = makeStyles({
  form: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalL, maxWidth: "720px" },
  buttons: { display: "flex", gap: tokens.spacingHorizontalM },
});
