/** Why each place that may hold the vault's key did not open it: for whoever looks after this computer. */
import { Text } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { VaultRecoveryView } from "../../shared/views.ts";
import { Box, Facts } from "../parts/card.tsx";
import { Section } from "../parts/page.tsx";
import { keyPlaceText, keyProblemText } from "./key-place-text.ts";

interface KeyPlacesProps {
  readonly places: VaultRecoveryView["places"];
}

/** Shows nothing where no place was asked. */
export function KeyPlaces({ places }: KeyPlacesProps) {
  const { t } = useTranslation();
  if (places.length === 0) return null;
  return (
    <Section title={t("recovery.why")}>
      <Box>
        <Text>{t("recovery.whyLead")}</Text>
        <Facts
          facts={places.map(({ place, problem }) => [keyPlaceText(t, place, navigator.userAgent), keyProblemText(t, place, problem)])}
        />
      </Box>
    </Section>
  );
}
