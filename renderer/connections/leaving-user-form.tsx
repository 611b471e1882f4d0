/** The first page of "An employee leaves": who, and what will happen at each provider. */
import { Field, Select, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { DialogForm } from "../parts/form-dialog.tsx";
import { useAction } from "../state/use-action.ts";
import { GrantScreensLink } from "./grant-screens-link.tsx";
import { endingOf } from "./leaving-preview.ts";
import type { LeftUser } from "./leaving-user-result.tsx";
import { LeavingList, LeavingRow } from "./leaving-user-row.tsx";
import { useCopiesText } from "./use-copies-text.ts";
import { usersOf } from "./users-of.ts";

interface LeavingUserFormProps {
  readonly connections: readonly ConnectionView[];
  readonly onEnded: (left: LeftUser) => void;
}

export function LeavingUserForm({ connections, onEnded }: LeavingUserFormProps) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const concerned = connections.filter(({ user }) => user === chosen);
  const isMissing = concerned.length === 0;
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (isMissing) return;
    const done = await action.run(() => invoke("user.endAll", { user: chosen }));
    if (done !== undefined) onEnded({ user: chosen, ended: done.value });
  };
  return (
    <DialogForm
      title={t("leaving.title")}
      confirmLabel={isMissing ? t("leaving.confirmNone") : t("leaving.confirm", { count: concerned.length })}
      action={action}
      onSubmit={submit}
    >
      <Field
        label={t("leaving.user")}
        hint={t("leaving.userHint")}
        required
        {...(submitted && isMissing ? { validationMessage: t("leaving.userMissing") } : {})}
      >
        <Select value={isMissing ? "" : chosen} onChange={(_event, data) => setChosen(data.value)}>
          <option value="">{t("leaving.choose")}</option>
          {usersOf(connections).map((user) => (
            <option key={user}>{user}</option>
          ))}
        </Select>
      </Field>
      {isMissing ? null : <Preview user={chosen} connections={concerned} />}
    </DialogForm>
  );
}

interface PreviewProps {
  readonly user: string;
  readonly connections: readonly ConnectionView[];
}

function Preview({ user, connections }: PreviewProps) {
  const { t } = useTranslation();
  return (
    <>
      <LeavingList label={t("leaving.preview")}>
        {connections.map((connection) => (
          <LeavingRow key={connection.id} connection={connection}>
            <Ending connection={connection} />
          </LeavingRow>
        ))}
      </LeavingList>
      <Text>{t("leaving.programs", { user })}</Text>
    </>
  );
}

function Ending({ connection }: { readonly connection: ConnectionView }) {
  const { t } = useTranslation();
  const copies = useCopiesText();
  const ending = endingOf(connection);
  const { accessTokenExpiresAtMs: atMs, accessTokenExpiryIsEstimate } = connection;
  const names = { provider: connection.providerName };
  return (
    <>
      <Text>{t(`leaving.will.${ending}`, names)}</Text>
      {ending === "row" || atMs === undefined ? null : <Text>{copies({ atMs, isEstimate: accessTokenExpiryIsEstimate === true })}</Text>}
      {ending === "forget" && connection.hasGrantScreens ? (
        <>
          <Text>{t("leaving.screens", names)}</Text>
          <GrantScreensLink connectionId={connection.id} providerName={connection.providerName} />
        </>
      ) : null}
    </>
  );
}
