/** Version, host, pipe, notices and the callback certificate, as read-only facts. */
import { Button, makeStyles, Text, tokens } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { StatusView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { noticeKey } from "../notices/notice-key.ts";
import { NoticeMessage } from "../notices/notice-message.tsx";
import { Box, Facts } from "../parts/card.tsx";
import { FailureMessage } from "../parts/failure-message.tsx";
import { Mark } from "../parts/mark.tsx";
import { Section } from "../parts/page.tsx";
import { hasProxySignIn, ProxySignIn } from "../proxy/proxy-sign-in.tsx";
import { useAction } from "../state/use-action.ts";

interface StatusProps {
  readonly status: StatusView;
}

export function AboutSections({ status }: StatusProps) {
  const { t } = useTranslation();
  const { notices } = status;
  return (
    <>
      <Section title={t("settings.about")}>
        <Box>
          <StatusFacts status={status} />
        </Box>
      </Section>
      <Section title={t("settings.certificate")}>
        <Certificate fingerprint={status.callbackCertificateSha256} />
      </Section>
      <Section title={t("settings.notices")}>
        {notices.length === 0 ? <Text>{t("settings.noNotices")}</Text> : null}
        {notices.map((notice) => (
          <NoticeMessage
            key={noticeKey(notice)}
            notice={notice}
            action={hasProxySignIn(notice) ? <ProxySignIn failure={notice} /> : undefined}
          />
        ))}
      </Section>
    </>
  );
}

function StatusFacts({ status }: StatusProps) {
  const { t } = useTranslation();
  const { pipe } = status;
  return (
    <Facts
      facts={[
        [t("settings.version"), status.version],
        [t("settings.host"), hostName(status.host)],
        [
          t("settings.pipe"),
          <Mark
            key="pipe"
            good={pipe.state === "listening"}
            text={pipe.state === "listening" ? t("settings.pipeListening", { name: pipe.name }) : t("settings.pipeClosed")}
          />,
        ],
      ]}
    />
  );

  function hostName(host: string): string {
    if (host === "electron") return t("settings.hostElectron");
    return host === "chromium-host" ? t("settings.hostChromium") : host;
  }
}

function Certificate({ fingerprint }: { readonly fingerprint: string | undefined }) {
  const styles = useStyles();
  const { t } = useTranslation();
  const action = useAction();
  const [saved, setSaved] = useState(false);
  const save = async (): Promise<void> => {
    setSaved(false);
    const done = await action.run(() => invoke("certificate.save"));
    setSaved(done?.value.saved === true);
  };
  if (fingerprint === undefined) return <Text>{t("settings.certificateNone")}</Text>;
  return (
    <Box>
      <Text>{t("settings.certificateExplain")}</Text>
      <Facts
        facts={[
          [
            t("settings.certificateFingerprint"),
            <code key="sha256" className={styles.fingerprint}>
              {inPairs(fingerprint)}
            </code>,
          ],
        ]}
      />
      <div className={styles.saveLine}>
        <Button disabledFocusable={action.pending} onClick={() => void save()}>
          {t("settings.certificateSave")}
        </Button>
        <output>{saved ? t("settings.certificateSaved") : ""}</output>
      </div>
      {action.failure === undefined ? null : <FailureMessage failure={action.failure} onDismiss={action.clear} />}
    </Box>
  );
}

/** As browsers and openssl show it, so that both can be compared by eye. */
function inPairs(fingerprint: string): string {
  const digits = fingerprint.replaceAll(":", "").toUpperCase();
  return digits.match(/.{1,2}/g)?.join(":") ?? digits;
}

const useStyles = makeStyles({
  fingerprint: { fontFamily: tokens.fontFamilyMonospace, overflowWrap: "anywhere" },
  saveLine: { display: "flex", alignItems: "center", columnGap: tokens.spacingHorizontalM },
});
