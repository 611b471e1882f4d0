/** The vault in the settings: how it is doing, its recovery passphrase, its key, and the way to a new computer. */
import { Button, Text } from "@fluentui/react-components";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { VaultView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { Box, BoxButtons, Facts } from "../parts/card.tsx";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Mark } from "../parts/mark.tsx";
import { Moment } from "../parts/moment.tsx";
import { Section } from "../parts/page.tsx";
import { PassphraseDialog } from "./passphrase-dialog.tsx";
import { RekeyDialog } from "./rekey-dialog.tsx";
import { TransferBox } from "./transfer-box.tsx";

type OpenVault = Extract<VaultView, { readonly state: "open" }>;

export function VaultSection({ vault }: { readonly vault: VaultView }) {
  const { t } = useTranslation();
  return (
    <Section title={t("vault.title")}>
      <Box>
        <VaultFacts vault={vault} />
      </Box>
      {vault.state === "open" ? (
        <>
          <PassphraseBox vault={vault} />
          <KeyBox vault={vault} />
          <TransferBox />
        </>
      ) : null}
    </Section>
  );
}

function VaultFacts({ vault }: { readonly vault: VaultView }) {
  const { t } = useTranslation();
  const isOpen = vault.state === "open";
  const state = [t("vault.state"), <Mark key="state" good={isOpen} text={t(isOpen ? "vault.open" : "vault.locked")} />] as const;
  if (!isOpen) return <Facts facts={[state]} />;
  const { hasPassphrase, newestBackupAtMs } = vault;
  return (
    <Facts
      facts={[
        state,
        [t("vault.backup"), newestBackupAtMs === undefined ? t("vault.noBackup") : <Moment key="backup" atMs={newestBackupAtMs} />],
        [t("vault.passphrase.title"), t(hasPassphrase ? "vault.passphrase.isSet" : "vault.passphrase.notSet")],
      ]}
    />
  );
}

function PassphraseBox({ vault: { hasPassphrase } }: { readonly vault: OpenVault }) {
  const { t } = useTranslation();
  const [done, setDone] = useState<"set" | "removed">();
  const texts = hasPassphrase ? "vault.passphrase.replace" : "vault.passphrase.set";
  const remove = async () => {
    const removed = await invoke("vault.removePassphrase");
    if (removed.ok) setDone("removed");
    return removed;
  };
  return (
    <Box title={t("vault.passphrase.title")}>
      <Text>{t("vault.passphrase.explain")}</Text>
      <BoxButtons>
        <PassphraseDialog
          trigger={<Button onClick={() => setDone(undefined)}>{t(`${texts}.open`)}</Button>}
          title={t(`${texts}.title`)}
          explain={[t(`${texts}.does`), t("vault.passphrase.keep")]}
          confirmLabel={t(`${texts}.confirm`)}
          onSet={() => setDone("set")}
        />
        {hasPassphrase ? (
          <ConfirmDialog
            trigger={<Button onClick={() => setDone(undefined)}>{t("vault.passphrase.remove.open")}</Button>}
            title={t("vault.passphrase.remove.title")}
            confirmLabel={t("vault.passphrase.remove.confirm")}
            onConfirm={remove}
          >
            <Text>{t("vault.passphrase.remove.does")}</Text>
            <Text>{t("vault.passphrase.remove.doesNot")}</Text>
          </ConfirmDialog>
        ) : null}
        <output>{done === undefined ? "" : t(`vault.passphrase.done.${done}`)}</output>
      </BoxButtons>
    </Box>
  );
}

function KeyBox({ vault: { hasPassphrase } }: { readonly vault: OpenVault }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  return (
    <Box title={t("vault.key.title")}>
      <Text>{t("vault.key.explain")}</Text>
      <BoxButtons>
        <RekeyDialog
          trigger={<Button onClick={() => setDone(false)}>{t("vault.key.open")}</Button>}
          hasPassphrase={hasPassphrase}
          onChanged={() => setDone(true)}
        />
        <output>{done ? t("vault.key.done") : ""}</output>
      </BoxButtons>
    </Box>
  );
}
