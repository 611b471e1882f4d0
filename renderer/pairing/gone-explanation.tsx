/** In place of code and choices once the program has gone away. Said aloud, since it may come while a person reads the rest. */
import { useTranslation } from "react-i18next";
import { Message } from "../parts/failure-message.tsx";

export function GoneExplanation() {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <Message intent="warning" title={t("pairing.gone.title")} text={t("pairing.gone.text")} />
    </div>
  );
}
