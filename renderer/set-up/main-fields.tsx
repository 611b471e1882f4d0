/** The fields of a registration that every vendor hands out. */
import { Field, Input, Select, Textarea } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { DraftProblems, RegistrationDraft } from "./registration-draft.ts";
import { useFieldMessage } from "./use-field-message.ts";

export interface DraftFieldsProps {
  readonly draft: RegistrationDraft;
  readonly problems: DraftProblems;
  readonly onChange: (draft: RegistrationDraft) => void;
}

interface MainFieldsProps extends DraftFieldsProps {
  readonly hasStoredSecret: boolean;
  readonly hasOrganisations: boolean;
}

export function MainFields({ draft, problems, hasStoredSecret, hasOrganisations, onChange }: MainFieldsProps) {
  const { t } = useTranslation();
  const message = useFieldMessage(problems);
  return (
    <>
      <Field label={t("setUp.clientId")} hint={t("form.clientIdHint")} required {...message("clientId")}>
        <Input
          value={draft.clientId}
          autoComplete="off"
          spellCheck={false}
          onChange={(_event, { value }) => onChange({ ...draft, clientId: value })}
        />
      </Field>
      <Field label={t("setUp.clientSecret")} {...(hasStoredSecret ? { hint: t("form.secretKeep") } : {})} {...message("clientSecret")}>
        <Input
          type="password"
          value={draft.clientSecret}
          autoComplete="new-password"
          onChange={(_event, { value }) => onChange({ ...draft, clientSecret: value })}
        />
      </Field>
      <Field label={t("setUp.redirectUris")} hint={t("form.redirectUrisHint")} required {...message("redirectUris")}>
        <Textarea
          value={draft.redirectUris}
          rows={3}
          resize="vertical"
          spellCheck={false}
          onChange={(_event, { value }) => onChange({ ...draft, redirectUris: value })}
        />
      </Field>
      <Field label={t("setUp.scope")} hint={t("form.scopeHint")} {...message("scope")}>
        <Input
          value={draft.scope}
          autoComplete="off"
          spellCheck={false}
          onChange={(_event, { value }) => onChange({ ...draft, scope: value })}
        />
      </Field>
      {hasOrganisations ? (
        <Field label={t("setUp.organisations")} hint={t("form.organisationsHint")} {...message("organisations")}>
          <Textarea
            value={draft.organisations}
            rows={2}
            resize="vertical"
            spellCheck={false}
            onChange={(_event, { value }) => onChange({ ...draft, organisations: value })}
          />
        </Field>
      ) : null}
      <CredentialsField draft={draft} problems={problems} onChange={onChange} />
    </>
  );
}

function CredentialsField({ draft, problems, onChange }: DraftFieldsProps) {
  const { t } = useTranslation();
  const message = useFieldMessage(problems);
  const choose = (value: string): void => onChange({ ...draft, clientAuthentication: value === "basic" || value === "body" ? value : "" });
  return (
    <Field label={t("form.clientAuthentication")} {...message("clientAuthentication")}>
      <Select value={draft.clientAuthentication} onChange={(_event, { value }) => choose(value)}>
        <option value="">{t("form.clientAuthenticationDefault")}</option>
        <option value="basic">{t("form.clientAuthenticationBasic")}</option>
        <option value="body">{t("form.clientAuthenticationBody")}</option>
      </Select>
    </Field>
  );
}
