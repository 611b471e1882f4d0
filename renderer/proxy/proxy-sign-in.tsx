/** The button of `proxy_sign_in_needed` and the dialog behind it: user name and password for the proxy that the failure names. */
import { Button, Field, Input, makeStyles, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import { invoke } from "../api.ts";
import { DialogForm, FormDialog } from "../parts/form-dialog.tsx";
import { PasswordField } from "../parts/password-field.tsx";
import { plainText } from "../parts/plain-text.ts";
import { useAction } from "../state/use-action.ts";
import { proxyOf } from "./proxy-of.ts";
import { noSignIn, type ProxySignInForm, proxySignInProblems, signInLimits } from "./proxy-sign-in-form.ts";
import { useSetSavedProxy } from "./saved-proxy.tsx";

/** Longest name of a proxy that is shown. */
const proxyLimit = 80;

interface ProxySignInProps {
  readonly failure: Failure | undefined;
}

/** Whether `failure` names a proxy to sign in to. */
export function hasProxySignIn(failure: Failure): boolean {
  return proxyOf(failure) !== undefined;
}

/** Shows nothing where no proxy is named. */
export function ProxySignIn({ failure }: ProxySignInProps) {
  const { t } = useTranslation();
  const styles = useStyles();
  const setSavedProxy = useSetSavedProxy();
  const proxy = failure === undefined ? undefined : proxyOf(failure);
  if (proxy === undefined) return null;
  return (
    <FormDialog
      trigger={
        <Button size="medium" className={styles.open}>
          {t("proxy.open")}
        </Button>
      }
    >
      {(close) => (
        <ProxySignInDialog
          proxy={proxy}
          onDone={() => {
            close();
            setSavedProxy(proxy);
          }}
        />
      )}
    </FormDialog>
  );
}

interface ProxySignInDialogProps {
  /** Host and port, as the failure names it. */
  readonly proxy: string;
  readonly onDone: () => void;
}

function ProxySignInDialog({ proxy, onDone }: ProxySignInDialogProps) {
  const { t } = useTranslation();
  const [form, setForm] = useState(noSignIn);
  const [submitted, setSubmitted] = useState(false);
  const action = useAction();
  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (proxySignInProblems(form) !== undefined) return;
    const done = await action.run(() => invoke("proxy.signIn", { proxy, ...form }));
    if (done !== undefined) onDone();
  };
  return (
    <DialogForm
      title={t("proxy.title", { proxy: plainText(proxy, proxyLimit) })}
      confirmLabel={t("proxy.confirm")}
      action={action}
      onSubmit={submit}
    >
      <Text>{t("proxy.explain")}</Text>
      <Text>{t("proxy.kept")}</Text>
      <ProxySignInFields form={form} submitted={submitted} onChange={setForm} />
    </DialogForm>
  );
}

interface ProxySignInFieldsProps {
  readonly form: ProxySignInForm;
  readonly submitted: boolean;
  readonly onChange: (form: ProxySignInForm) => void;
}

function ProxySignInFields({ form, submitted, onChange }: ProxySignInFieldsProps) {
  const { t } = useTranslation();
  const problems = submitted ? proxySignInProblems(form) : undefined;
  const userName = problems?.userName && t(`proxy.${problems.userName}`, { limit: signInLimits.userName });
  return (
    <>
      <Field label={t("proxy.userName")} required {...(userName === undefined ? {} : { validationMessage: userName })}>
        <Input
          value={form.userName}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(_event, data) => onChange({ ...form, userName: data.value })}
        />
      </Field>
      <PasswordField
        label={t("proxy.password")}
        value={form.password}
        autoComplete="current-password"
        problem={problems?.password && t(`proxy.${problems.password}`, { limit: signInLimits.password })}
        onChange={(password) => onChange({ ...form, password })}
      />
    </>
  );
}

const useStyles = makeStyles({
  open: { maxWidth: "none", flexShrink: 0, whiteSpace: "nowrap" },
});
