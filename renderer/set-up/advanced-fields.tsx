/** The fields of a registration that only matter where a provider differs from its definition. */
import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Field,
  Input,
  makeStyles,
  Select,
  Switch,
  Text,
  tokens,
} from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { DraftFieldsProps } from "./main-fields.tsx";
import { endpointNames } from "./registration-draft.ts";
import { useFieldMessage } from "./use-field-message.ts";

const panel = "advanced";

interface AdvancedFieldsProps extends DraftFieldsProps {
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
}

export function AdvancedFields({ draft, problems, open, onToggle, onChange }: AdvancedFieldsProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  return (
    <Accordion
      collapsible
      className={styles.box}
      openItems={open ? [panel] : []}
      onToggle={(_event, data) => onToggle(data.openItems.includes(panel))}
    >
      <AccordionItem value={panel}>
        <AccordionHeader>{t("form.advanced")}</AccordionHeader>
        <AccordionPanel className={styles.panel}>
          <ProtocolFields draft={draft} problems={problems} onChange={onChange} />
          <Text>{t("form.endpointsLead")}</Text>
          <EndpointFields draft={draft} problems={problems} onChange={onChange} />
        </AccordionPanel>
      </AccordionItem>
    </Accordion>
  );
}

function ProtocolFields({ draft, problems, onChange }: DraftFieldsProps) {
  const { t } = useTranslation();
  const message = useFieldMessage(problems);
  const chooseEncoding = (value: string): void => onChange({ ...draft, basicEncoding: value === "form" || value === "raw" ? value : "" });
  return (
    <>
      <Field label={t("form.basicEncoding")} {...message("basicEncoding")}>
        <Select value={draft.basicEncoding} onChange={(_event, { value }) => chooseEncoding(value)}>
          <option value="">{t("form.basicEncodingDefault")}</option>
          <option value="form">{t("form.basicEncodingForm")}</option>
          <option value="raw">{t("form.basicEncodingRaw")}</option>
        </Select>
      </Field>
      <Field hint={t("form.pkceHint")} {...message("pkce")}>
        <Switch
          label={t("form.pkce")}
          checked={draft.pkce ?? true}
          onChange={(_event, { checked }) => onChange({ ...draft, pkce: checked })}
        />
      </Field>
    </>
  );
}

function EndpointFields({ draft, problems, onChange }: DraftFieldsProps) {
  const { t } = useTranslation();
  const message = useFieldMessage(problems);
  return endpointNames.map((name) => (
    <Field key={name} label={t(`form.endpoint.${name}`)} {...message(name)}>
      <Input
        type="url"
        value={draft.endpoints[name] ?? ""}
        autoComplete="off"
        spellCheck={false}
        onChange={(_event, { value }) => onChange({ ...draft, endpoints: { ...draft.endpoints, [name]: value } })}
      />
    </Field>
  ));
}

const useStyles = makeStyles({
  box: {
    backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`,
    borderRadius: tokens.borderRadiusXLarge,
  },
  panel: {
    display: "flex",
    flexDirection: "column",
    rowGap: tokens.spacingVerticalM,
    margin: 0,
    padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalL} ${tokens.spacingVerticalL}`,
  },
});
