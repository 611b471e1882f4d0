/** The questions "which users" and "which providers" of a pairing. */
import { Checkbox, Field, makeStyles, Radio, RadioGroup, Text, Textarea, tokens } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { ProviderView } from "../../shared/views.ts";
import type { AccessForm, AccessProblems } from "./access-form.ts";
import { userIdLimit } from "./access-form.ts";

interface AccessFieldsProps {
  readonly form: AccessForm;
  readonly problems: AccessProblems | undefined;
  readonly providers: readonly ProviderView[];
  readonly onChange: (form: AccessForm) => void;
}

export function AccessFields(props: AccessFieldsProps) {
  const styles = useStyles();
  return (
    <div className={styles.root}>
      <UserFields {...props} />
      <ProviderFields {...props} />
    </div>
  );
}

function UserFields({ form, problems, onChange }: AccessFieldsProps) {
  const { t } = useTranslation();
  const problem = problems?.userList;
  return (
    <div>
      <Field label={t("pairing.users")}>
        <RadioGroup value={form.users} onChange={(_event, data) => onChange({ ...form, users: data.value === "all" ? "all" : "some" })}>
          <Radio value="all" label={t("pairing.allUsers")} />
          <Radio value="some" label={t("pairing.someUsers")} />
        </RadioGroup>
      </Field>
      {form.users === "all" ? null : (
        <Field
          label={t("pairing.userList")}
          {...(problem === undefined ? {} : { validationMessage: t(`pairing.${problem}`, { limit: userIdLimit }) })}
        >
          <Textarea
            value={form.userList}
            rows={3}
            resize="vertical"
            spellCheck={false}
            onChange={(_event, data) => onChange({ ...form, userList: data.value })}
          />
        </Field>
      )}
    </div>
  );
}

function ProviderFields({ form, problems, providers, onChange }: AccessFieldsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const problem = problems?.providerIds;
  return (
    <div>
      <Field label={t("pairing.providers")}>
        <RadioGroup
          value={form.providers}
          onChange={(_event, data) => onChange({ ...form, providers: data.value === "all" ? "all" : "some" })}
        >
          <Radio value="all" label={t("pairing.allProviders")} />
          <Radio value="some" label={t("pairing.someProviders")} />
        </RadioGroup>
      </Field>
      {form.providers === "all" ? null : (
        <>
          <ProviderChoices form={form} providers={providers} onChange={onChange} />
          {problem === undefined ? null : (
            <Text role="alert" size={200} className={styles.problem}>
              {t(`pairing.${problem}`)}
            </Text>
          )}
        </>
      )}
    </div>
  );
}

// Not in a Fluent Field: it gives every control inside it the same id, and a click on one label would check another provider.
function ProviderChoices({ form, providers, onChange }: Omit<AccessFieldsProps, "problems">) {
  const styles = useStyles();
  const { t } = useTranslation();
  const toggle = (id: string, chosen: boolean): void => {
    const others = form.providerIds.filter((each) => each !== id);
    onChange({ ...form, providerIds: chosen ? [...others, id] : others });
  };
  return (
    <fieldset aria-label={t("pairing.providerList")} className={styles.choices}>
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

const useStyles = makeStyles({
  root: {
    display: "grid",
    gridTemplateColumns: "repeat(auto-fit, minmax(200px, 1fr))",
    gap: tokens.spacingHorizontalL,
  },
  choices: { display: "flex", flexDirection: "column", margin: 0, border: "none", padding: `0 0 0 ${tokens.spacingHorizontalL}` },
  problem: { color: tokens.colorPaletteRedForeground1 },
});
