/** Changes what an approved program may use: the questions of its approval again, with their present answers. */
import { Accordion, AccordionHeader, AccordionItem, AccordionPanel, Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AccessPolicy, DmsClientView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { AccessFields, type AccessFieldsProps, type ProviderChoice, RequestsField } from "../pairing/access-fields.tsx";
import { accessForm, accessPolicy, accessProblems, isSound } from "../pairing/access-form.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { plainText } from "../parts/plain-text.ts";
import { useAction } from "../state/use-action.ts";
import { useNow } from "../state/use-now.ts";

const stepMs = 15_000;
/** Longest id shown of a provider that this version does not know. */
const providerIdLimit = 40;
const panel = "advanced";

interface ChangeAccessProps {
  readonly client: DmsClientView;
  /** Fit to be shown. */
  readonly name: string;
  readonly providers: readonly ProviderChoice[];
}

/** The button of a program, and the dialog it opens. */
export function ChangeAccessDialog(props: ChangeAccessProps) {
  const { t } = useTranslation();
  const label = t("programs.change.open");
  return (
    <FormDialog trigger={<Button aria-label={t("common.labelled", { action: label, subject: props.name })}>{label}</Button>}>
      {(close) => <ChangeAccessForm {...props} onSaved={close} />}
    </FormDialog>
  );
}

interface ChangeAccessFormProps extends ChangeAccessProps {
  readonly onSaved: () => void;
}

function ChangeAccessForm({ client, name, providers, onSaved }: ChangeAccessFormProps) {
  const { t } = useTranslation();
  // What was stored when the dialog opened: the form must not change under the person's hands.
  const [stored] = useState(client.access);
  const [form, setForm] = useState(() => accessForm(stored));
  const [submitted, setSubmitted] = useState(false);
  const nowMs = useNow(stepMs);
  const action = useAction();
  const problems = accessProblems(form, nowMs);
  const [advancedOpen, setAdvancedOpen] = useState(false);

  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (problems.requests !== undefined) setAdvancedOpen(true);
    if (!isSound(problems)) return;
    const access = accessPolicy(form, nowMs, stored);
    const saved = await action.run(() => invoke("clients.update", { clientId: client.clientId, access }));
    if (saved !== undefined) onSaved();
  };
  const fields = { form, problems: submitted ? problems : undefined, onChange: setForm };
  return (
    <DialogForm title={t("programs.change.title", { name })} confirmLabel={t("programs.change.confirm")} action={action} onSubmit={submit}>
      <AccessFields providers={withUnknown(providers, stored)} {...fields} />
      <Advanced open={advancedOpen} onToggle={setAdvancedOpen} {...fields} />
      <Text>{t("programs.change.does")}</Text>
    </DialogForm>
  );
}

interface AdvancedProps extends AccessFieldsProps {
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
}

function Advanced({ open, onToggle, ...fields }: AdvancedProps) {
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
        <AccordionHeader>{t("access.advanced")}</AccordionHeader>
        <AccordionPanel className={styles.panel}>
          <RequestsField {...fields} />
        </AccordionPanel>
      </AccordionItem>
    </Accordion>
  );
}

/** A file may name providers that this version does not know: they can be seen and taken away like the others. */
function withUnknown(providers: readonly ProviderChoice[], { providers: stored }: AccessPolicy): readonly ProviderChoice[] {
  if (stored === "all") return providers;
  const unknown = stored.filter((id) => providers.every((provider) => provider.id !== id));
  return [...providers, ...unknown.map((id) => ({ id, name: plainText(id, providerIdLimit) }))];
}

const useStyles = makeStyles({
  box: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium },
  panel: { margin: 0, padding: `0 ${tokens.spacingHorizontalM} ${tokens.spacingVerticalM}` },
});
