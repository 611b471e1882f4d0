/** The small form behind "Connect Mazda": who, and only where there is a choice, which environment and organisation. */
import { Button, Field, Input, Select, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { environments, type ProviderView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { useAction } from "../state/use-action.ts";
import {
  type ConnectForm,
  connectParams,
  initialForm,
  organisationsOf,
  registeredEnvironments,
  userIdLimit,
  userProblem,
} from "./connect-form.ts";

interface ConnectDialogProps {
  readonly provider: ProviderView;
  readonly usualUser: string;
}

/** The button of a provider, and the dialog it opens. */
export function ConnectDialog({ provider, usualUser }: ConnectDialogProps) {
  const { t } = useTranslation();
  return (
    <FormDialog
      trigger={
        <Button appearance="primary" size="large">
          {t("connections.connectProvider", { provider: provider.name })}
        </Button>
      }
    >
      {(close) => <ConnectDialogForm provider={provider} usualUser={usualUser} onStarted={close} />}
    </FormDialog>
  );
}

interface ConnectDialogFormProps extends ConnectDialogProps {
  readonly onStarted: () => void;
}

function ConnectDialogForm({ provider, usualUser, onStarted }: ConnectDialogFormProps) {
  const { t } = useTranslation();
  const [form, setForm] = useState(() => initialForm(provider, usualUser));
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();

  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (userProblem(form.user) !== undefined) return;
    const started = await action.run(() => invoke("connect.start", connectParams(provider, form)));
    if (started !== undefined) onStarted();
  };

  return (
    <DialogForm
      title={t("connect.title", { provider: provider.name })}
      confirmLabel={t("connect.confirm")}
      action={action}
      onSubmit={submit}
    >
      <Text>{t("connect.explain", { provider: provider.name })}</Text>
      <ConnectFields provider={provider} form={form} submitted={submitted} onChange={setForm} />
    </DialogForm>
  );
}

interface ConnectFieldsProps {
  readonly provider: ProviderView;
  readonly form: ConnectForm;
  readonly submitted: boolean;
  readonly onChange: (form: ConnectForm) => void;
}

function ConnectFields({ provider, form, submitted, onChange }: ConnectFieldsProps) {
  const { t } = useTranslation();
  const problem = submitted ? userProblem(form.user) : undefined;
  const organisations = organisationsOf(provider, form.environment);
  return (
    <>
      <Field
        label={t("connect.user")}
        hint={t("connect.userHint", { provider: provider.name })}
        required
        {...(problem === undefined ? {} : { validationMessage: t(`connect.${problem}`, { limit: userIdLimit }) })}
      >
        <Input
          value={form.user}
          autoComplete="off"
          spellCheck={false}
          onChange={(_event, data) => onChange({ ...form, user: data.value })}
        />
      </Field>
      <EnvironmentField provider={provider} form={form} onChange={onChange} />
      {organisations.length === 0 ? null : (
        <Field label={t("connect.organisation")}>
          <Select value={form.organisation} onChange={(_event, data) => onChange({ ...form, organisation: data.value })}>
            {organisations.map((organisation) => (
              <option key={organisation}>{organisation}</option>
            ))}
            <option value="">{t("connect.organisationNone", { provider: provider.name })}</option>
          </Select>
        </Field>
      )}
    </>
  );
}

function EnvironmentField({ provider, form, onChange }: Omit<ConnectFieldsProps, "submitted">) {
  const { t } = useTranslation();
  const registered = registeredEnvironments(provider);
  if (registered.length < 2) return null;
  const choose = (value: string): void => {
    const environment = environments.find((each) => each === value) ?? form.environment;
    onChange({ ...form, environment, organisation: organisationsOf(provider, environment)[0] ?? "" });
  };
  return (
    <Field label={t("connect.environment")}>
      <Select value={form.environment} onChange={(_event, data) => choose(data.value)}>
        {registered.map(({ environment }) => (
          <option key={environment} value={environment}>
            {t(`environment.${environment}`)}
          </option>
        ))}
      </Select>
    </Field>
  );
}
