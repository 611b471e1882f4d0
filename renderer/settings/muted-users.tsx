/** Users about whose connections no notification is shown: each change is saved at once. */
import { Button, Field, Input, makeStyles, Text, tokens } from "@fluentui/react-components";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Box } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { useUnsavedInput } from "../parts/unsaved-input.ts";
import { type Action, useAction } from "../state/use-action.ts";
import { mutedUserLimit, mutedUserProblem, mutedUsersLimit } from "./muted-list.ts";
import type { SettingsSectionProps } from "./settings-section.ts";

interface MutedUsersProps extends SettingsSectionProps {
  /** Suggested while typing. */
  readonly knownUsers: readonly string[];
}

export function MutedUsers({ value: { mutedUsers }, save, knownUsers }: MutedUsersProps) {
  const { t } = useTranslation();
  const action = useAction();
  const set = async (next: readonly string[]): Promise<boolean> => (await action.run(() => save({ mutedUsers: next }))) !== undefined;
  return (
    <Box title={t("settings.notifications.muted")}>
      <Text>{t("settings.notifications.mutedExplain")}</Text>
      <MutedList mutedUsers={mutedUsers} action={action} onRemove={(user) => void set(mutedUsers.filter((each) => each !== user))} />
      <AddForm
        mutedUsers={mutedUsers}
        suggestions={knownUsers.filter((user) => !mutedUsers.includes(user))}
        action={action}
        onAdd={(user) => set([...mutedUsers, user])}
      />
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </Box>
  );
}

interface MutedListProps {
  readonly mutedUsers: readonly string[];
  readonly action: Action;
  readonly onRemove: (user: string) => void;
}

function MutedList({ mutedUsers, action, onRemove }: MutedListProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  if (mutedUsers.length === 0) return <Text className={styles.quiet}>{t("settings.notifications.mutedNone")}</Text>;
  const label = t("settings.notifications.mutedRemove");
  return (
    <ul aria-label={t("settings.notifications.muted")} className={styles.list}>
      {mutedUsers.map((user) => (
        <li key={user} className={styles.row}>
          <span className={styles.user}>{user}</span>
          <Button
            size="small"
            disabledFocusable={action.pending}
            aria-label={t("common.labelled", { action: label, subject: user })}
            onClick={() => onRemove(user)}
          >
            {label}
          </Button>
        </li>
      ))}
    </ul>
  );
}

interface AddFormProps {
  readonly mutedUsers: readonly string[];
  readonly suggestions: readonly string[];
  readonly action: Action;
  /** Settles with whether it was saved. */
  readonly onAdd: (user: string) => Promise<boolean>;
}

function AddForm({ mutedUsers, suggestions, action, onAdd }: AddFormProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const suggestionsId = useId();
  const [typed, setTyped] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const user = typed.trim();
  useUnsavedInput(user !== "");
  const problem = submitted ? mutedUserProblem(user, mutedUsers) : undefined;
  const limit = problem === "mutedFull" ? mutedUsersLimit : mutedUserLimit;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSubmitted(true);
    if (mutedUserProblem(user, mutedUsers) !== undefined || !(await onAdd(user))) return;
    setTyped("");
    setSubmitted(false);
  };
  return (
    <form noValidate className={styles.form} onSubmit={(event) => void submit(event)}>
      <Field
        label={t("settings.notifications.mutedUser")}
        className={styles.field}
        {...(problem === undefined ? {} : { validationMessage: t(`settings.notifications.${problem}`, { limit }) })}
      >
        <Input
          value={typed}
          list={suggestionsId}
          autoComplete="off"
          spellCheck={false}
          onChange={(_event, data) => {
            setTyped(data.value);
            setSubmitted(false);
          }}
        />
      </Field>
      <datalist id={suggestionsId}>
        {suggestions.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </datalist>
      <Button type="submit" disabledFocusable={action.pending} className={styles.add}>
        {t("settings.notifications.mutedAdd")}
      </Button>
    </form>
  );
}

const useStyles = makeStyles({
  quiet: { color: tokens.colorNeutralForeground2 },
  list: { listStyleType: "none", margin: 0, padding: 0, maxWidth: "560px" },
  row: {
    display: "flex",
    alignItems: "center",
    justifyContent: "space-between",
    columnGap: tokens.spacingHorizontalM,
    padding: `${tokens.spacingVerticalXS} 0`,
    borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  user: { overflowWrap: "anywhere", minWidth: 0 },
  form: { display: "flex", alignItems: "flex-start", columnGap: tokens.spacingHorizontalM },
  field: { flex: "0 1 420px", minWidth: 0 },
  // Level with the field, below its label.
  add: { marginTop: "26px" },
});
