/** Providers that DMS Connect leaves alone for a while: one quiet line each, instead of an error in every row. */
import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { PauseCircleRegular } from "@fluentui/react-icons/svg/pause-circle";
import { useTranslation } from "react-i18next";
import type { Environment, ProviderPause, ProviderView } from "../../shared/views.ts";
import { useFailureText } from "../i18n/failure-text.ts";
import { EnvironmentBadge } from "../parts/environment-badge.tsx";
import { useTimeText } from "../parts/use-time-text.ts";
import { useNow } from "../state/use-now.ts";

interface Pause extends ProviderPause {
  readonly provider: ProviderView;
  readonly environment: Environment;
}

/** Shows nothing while all is well. */
export function ProviderPauses({ providers }: { readonly providers: readonly ProviderView[] }) {
  const styles = useStyles();
  const pauses = providers.flatMap(pausesOf);
  return (
    // Always there, so that a screen reader says what comes into it.
    <output className={styles.list}>
      {pauses.map((pause) => (
        <PauseLine key={`${pause.provider.id} ${pause.environment}`} pause={pause} />
      ))}
    </output>
  );
}

function PauseLine({ pause }: { readonly pause: Pause }) {
  const styles = useStyles();
  const { t } = useTranslation();
  const time = useTimeText();
  const nowMs = useNow(1000);
  const { message } = useFailureText(pause.failure);
  const isTrying = pause.nextTryAtMs <= nowMs;
  return (
    <span className={styles.line}>
      <span aria-hidden="true" className={styles.icon}>
        <PauseCircleRegular />
      </span>
      <span>
        <span className={styles.title}>
          <Text weight="semibold">
            {t("connections.paused.title", { provider: pause.provider.name, since: time.brief(pause.sinceMs, nowMs) })}
          </Text>
          <EnvironmentBadge environment={pause.environment} />
        </span>
        <Text block>
          {isTrying ? t("connections.paused.tryingNow") : t("connections.paused.nextTry", { time: time.brief(pause.nextTryAtMs, nowMs) })}{" "}
          {t("connections.paused.kept")}
        </Text>
        <Text block size={200} className={styles.quiet}>
          {t("connections.paused.lastProblem", { problem: message })}
        </Text>
      </span>
    </span>
  );
}

function pausesOf(provider: ProviderView): readonly Pause[] {
  return provider.environments.flatMap(({ environment, paused }) => (paused === undefined ? [] : [{ ...paused, provider, environment }]));
}

const useStyles = makeStyles({
  // While empty it takes no place, but must be there.
  list: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalS, ":empty": { position: "absolute" } },
  line: { display: "flex", columnGap: tokens.spacingHorizontalS, overflowWrap: "anywhere", maxWidth: "90ch" },
  title: { display: "flex", flexWrap: "wrap", alignItems: "center", columnGap: tokens.spacingHorizontalS },
  icon: { fontSize: "20px", lineHeight: 0, flexShrink: 0, color: tokens.colorNeutralForeground2 },
  quiet: { color: tokens.colorNeutralForeground2 },
});
