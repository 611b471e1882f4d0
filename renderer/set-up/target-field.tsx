/** Which provider and environment a new registration is for. */
import { Field, Select } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { Environment, ProviderView } from "../../shared/views.ts";

export interface RegistrationTarget {
  readonly provider: ProviderView;
  readonly environment: Environment;
}

interface TargetFieldProps {
  readonly targets: readonly RegistrationTarget[];
  readonly value: RegistrationTarget;
  readonly onChange: (target: RegistrationTarget) => void;
}

export function TargetField({ targets, value, onChange }: TargetFieldProps) {
  const { t } = useTranslation();
  const choose = (key: string): void => {
    const target = targets.find((each) => targetKey(each) === key);
    if (target !== undefined) onChange(target);
  };
  return (
    <Field label={t("form.target")}>
      <Select value={targetKey(value)} onChange={(_event, data) => choose(data.value)}>
        {targets.map((target) => (
          <option key={targetKey(target)} value={targetKey(target)}>
            {t("setUp.registrationName", { provider: target.provider.name, environment: t(`environment.${target.environment}`) })}
          </option>
        ))}
      </Select>
    </Field>
  );
}

function targetKey({ provider, environment }: RegistrationTarget): string {
  return `${provider.id}/${environment}`;
}
