/** The questions "which users", "which providers" and "how long", and for a program that is known, how often. */
import { Checkbox, Field, Input, makeStyles, Radio, RadioGroup, Text, Textarea, tokens } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usualRequestsPerMinute } from "../../shared/views.ts";
import { type AccessForm, type AccessProblems, requestsLimit, userIdLimit, userListLimit } from "./access-form.ts";
import { LastDayField } from "./last-day-field.tsx";

export interface ProviderChoice {
  readonly id: string;
  readonly name: string;
}

export interface AccessFieldsProps {
  readonly form: AccessForm;
  /** Absent until the person has tried to send the form. */
  readonly problems: AccessProblems | undefined;
  readonly onChange: (form: AccessForm) => void;
}

interface AllAccessFieldsProps extends AccessFieldsProps {
  readonly providers: readonly ProviderChoice[];
}

export function AccessFields({ providers, ...props }: AllAccessFieldsProps) {
  const styles = useStyles();
  return (
    <div className={styles.root}>
      <UserFields {...props} />
      <ProviderFields providers={providers} {...props} />
      <UntilFields {...props} />
    </div>
  );
}

/** The limit of requests; not asked when a program is approved, since nobody can know it then. */
export function RequestsField({ form, problems, onChange }: AccessFieldsProps) {
  const { t } = useTranslation();
  const problem = problems?.requests;
  return (
    <Field
      label={t("access.requests")}
      hint={t("access.requestsHint", { usual: usualRequestsPerMinute })}
      {...(problem === undefined ? {} : { validationMessage: t(`access.${problem}`, { most: requestsLimit }) })}
    >
      <Input
        inputMode="numeric"
        value={form.requests}
        autoComplete="off"
        onChange={(_event, data) => onChange({ ...form, requests: data.value })}
      />
    </Field>
  );
}

function UserFields({ form, problems, onChange }: AccessFieldsProps) {
  const { t } = useTranslation();
  const problem = problems?.userList;
  const limit = problem === "userListTooMany" ? userListLimit : userIdLimit;
  return (
    <Question>
      <Field label={t("access.users")}>
        <RadioGroup value={form.users} onChange={(_event, data) => onChange({ ...form, users: data.value === "all" ? "all" : "some" })}>
          <Radio value="all" label={t("access.allUsers")} />
          <Radio value="some" label={t("access.someUsers")} />
        </RadioGroup>
      </Field>
      {form.users === "all" ? null : (
        <Field label={t("access.userList")} {...(problem === undefined ? {} : { validationMessage: t(`access.${problem}`, { limit }) })}>
          <Textarea
            value={form.userList}
            rows={3}
            resize="vertical"
            spellCheck={false}
            onChange={(_event, data) => onChange({ ...form, userList: data.value })}
          />
        </Field>
      )}
    </Question>
  );
}

function ProviderFields({ form, problems, providers, onChange }: AllAccessFieldsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const problem = problems?.providerIds;
  return (
    <Question>
      <Field label={t("access.providers")}>
        <RadioGroup
          value={form.providers}
          onChange={(_event, data) => onChange({ ...form, providers: data.value === "all" ? "all" : "some" })}
        >
          <Radio value="all" label={t("access.allProviders")} />
          <Radio value="some" label={t("access.someProviders")} />
        </RadioGroup>
      </Field>
      {form.providers === "all" ? null : (
        <>
          <ProviderChoices form={form} providers={providers} onChange={onChange} />
          {problem === undefined ? null : (
            <Text role="alert" size={200} className={styles.problem}>
              {t(`access.${problem}`)}
            </Text>
          )}
        </>
      )}
    </Question>
  );
}

// Not in a Fluent Field: it gives every control inside it the same id, and a click on one label would check another provider.
function ProviderChoices({ form, providers, onChange }: Omit<AllAccessFieldsProps, "problems">) {
  const styles = useStyles();
  const { t } = useTranslation();
  const toggle = (id: string, chosen: boolean): void => {
    const others = form.providerIds.filter((each) => each !== id);
    onChange({ ...form, providerIds: chosen ? [...others, id] : others });
  };
  return (
    <fieldset aria-label={t("access.providerList")} className={styles.choices}>
      {providers.map(({ id, name }) => (
        <Checkbox
          key={id}
          label={name}
          checked={form.providerIds.includes(id)}
          onChange={(_event, data) => toggle(id, data.checked === true)}
        />
      ))}
    </fieldset>
  );
}

function UntilFields({ form, problems, onChange }: AccessFieldsProps) {
  const { t } = useTranslation();
  return (
    <Question>
      <Field label={t("access.until")}>
        <RadioGroup
          layout="horizontal"
          value={form.until}
          onChange={(_event, data) => onChange({ ...form, until: data.value === "date" ? "date" : "always" })}
        >
          <Radio value="always" label={t("access.always")} />
          <Radio value="date" label={t("access.untilDate")} />
        </RadioGroup>
      </Field>
      {form.until === "always" ? null : (
        <LastDayField day={form.lastDay} problem={problems?.lastDay} onChange={(lastDay) => onChange({ ...form, lastDay })} />
      )}
    </Question>
  );
}

function Question({ children }: { readonly children: ReactNode }) {
  return <div className={useStyles().question}>{children}</div>;
}

const useStyles = makeStyles({
  root: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fit, minmax(200px, 1fr))",
    gap: tokens.spacingHorizontalL,
  },
  question: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalXS, minWidth: 0 },
  choices: { display: "flex", flexDirection: "column", margin: 0, border: "none", padding: `0 0 0 ${tokens.spacingHorizontalL}` },
  problem: { color: tokens.colorPaletteRedForeground1 },
});
