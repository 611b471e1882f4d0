/** What an import brought, in sentences. */
import { useTranslation } from "react-i18next";
import type { VaultImportView } from "../../shared/views.ts";

interface ImportSentences {
  readonly title: string;
  readonly text: string;
}

/** Leaves out what did not happen: nobody needs to read "0 connections". */
export function useImportSentences(): (counts: VaultImportView) => ImportSentences {
  const { t } = useTranslation();
  return ({ registrations, connections, withSignIn, skipped }) => {
    const withoutSignIn = connections - withSignIn;
    const sentences = [
      registrations > 0 && t("vault.import.registrations", { count: registrations }),
      connections > 0 && t("vault.import.connections", { count: connections }),
      withSignIn > 0 && t("vault.import.withSignIn", { count: withSignIn }),
      withoutSignIn > 0 && t("vault.import.withoutSignIn", { count: withoutSignIn }),
      skipped > 0 && t("vault.import.skipped", { count: skipped }),
    ].filter((sentence) => sentence !== false);
    const isNew = registrations + connections > 0;
    return { title: t(isNew ? "vault.import.done" : "vault.import.nothingNew"), text: sentences.join(" ") };
  };
}
