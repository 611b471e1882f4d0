/** One card for each way on from a locked vault, numbered in the order in which to try them. */
import { Text } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { assertNever } from "../../shared/result.ts";
import { BoxTitle, Card, CardList } from "../parts/card.tsx";
import { Section } from "../parts/page.tsx";
import { ChoosePassphrase } from "./choose-passphrase.tsx";
import { StartAnew } from "./start-anew.tsx";
import { TryAgain } from "./try-again.tsx";
import { UnlockForm } from "./unlock-form.tsx";
import { UseEarlierKeys } from "./use-earlier-keys.tsx";
import { type LockedVault, type WayOn, waysOn } from "./ways-on.ts";

interface RecoveryWaysProps {
  readonly vault: LockedVault;
}

export function RecoveryWays({ vault }: RecoveryWaysProps) {
  const { t } = useTranslation();
  const ways = waysOn(vault);
  return (
    <Section title={t("recovery.ways")}>
      <CardList label={t("recovery.ways")} ordered>
        {ways.map((way, index) => (
          <WayCard key={way} way={way} number={ways.length === 1 ? undefined : index + 1}>
            <WayAction way={way} vault={vault} isFirst={index === 0} />
          </WayCard>
        ))}
      </CardList>
    </Section>
  );
}

interface WayCardProps {
  readonly way: WayOn;
  /** Absent where there is only one way. */
  readonly number: number | undefined;
  readonly children: ReactNode;
}

function WayCard({ way, number, children }: WayCardProps) {
  const { t } = useTranslation();
  const title = t(`recovery.${way}.title`);
  return (
    <Card label={title} testId={`way-${way}`}>
      <BoxTitle>{number === undefined ? title : t("recovery.numbered", { number, title })}</BoxTitle>
      <Text>{t(way === "tryAgain" && number === undefined ? "recovery.tryAgain.textAlone" : `recovery.${way}.text`)}</Text>
      {children}
    </Card>
  );
}

interface WayActionProps extends RecoveryWaysProps {
  readonly way: WayOn;
  readonly isFirst: boolean;
}

function WayAction({ way, vault, isFirst }: WayActionProps) {
  switch (way) {
    case "tryAgain":
      return <TryAgain lockedBy={vault.failure} isFirst={isFirst} />;
    case "enterPassphrase":
      return <UnlockForm isFirst={isFirst} />;
    case "choosePassphrase":
      return <ChoosePassphrase />;
    case "earlierKeys":
      return <UseEarlierKeys />;
    case "startAnew":
      return <StartAnew connections={vault.recovery.connections} />;
    default:
      return assertNever(way);
  }
}
