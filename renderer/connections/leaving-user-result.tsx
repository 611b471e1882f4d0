/** The last page of "An employee leaves": how each connection ended, and what is left to do. */
import {
  Button,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogTitle,
  DialogTrigger,
  makeStyles,
  Text,
  tokens,
} from "@fluentui/react-components";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { failure } from "../../shared/failure.ts";
import type { ConnectionView, EndedConnectionView } from "../../shared/views.ts";
import { invoke } from "../api.ts";
import { useFailureText } from "../i18n/failure-text.ts";
import { FailureMessage } from "../parts/failure-message.tsx";
import { Mark } from "../parts/mark.tsx";
import { useAction } from "../state/use-action.ts";
import { GrantScreensLink } from "./grant-screens-link.tsx";
import { LeavingList, LeavingRow } from "./leaving-user-row.tsx";
import { useCopiesText } from "./use-copies-text.ts";

export interface LeftUser {
  readonly user: string;
  readonly ended: readonly EndedConnectionView[];
}

interface LeavingUserResultProps {
  readonly left: LeftUser;
  /** Those that are there now. */
  readonly connections: readonly ConnectionView[];
  readonly onEndedAgain: (left: LeftUser) => void;
  readonly onAnother: () => void;
}

export function LeavingUserResult({ left, connections, onEndedAgain, onAnother }: LeavingUserResultProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const action = useAction();
  const title = useRef<HTMLSpanElement>(null);
  const { user, ended } = left;
  const isComplete = ended.every(({ outcome }) => outcome !== "failed");
  // The button that led here is gone.
  // oxlint-disable-next-line react/exhaustive-effect-dependencies -- each answer is read anew
  useEffect(() => title.current?.focus(), [left]);
  const tryAgain = async (): Promise<void> => {
    const done = await action.run(() => invoke("user.endAll", { user }));
    if (done === undefined) return;
    // What ended before is not in the new answer; what failed and is not there any more has ended otherwise.
    const earlier = ended.filter((each) => each.outcome !== "failed" && !isAmong(done.value, each));
    onEndedAgain({ user, ended: [...earlier, ...done.value] });
  };
  return (
    <DialogBody>
      <DialogTitle className={styles.wrap}>
        <span ref={title} tabIndex={-1} className={styles.title}>
          {t(isComplete ? "leaving.doneTitle" : "leaving.failedTitle", { user })}
        </span>
      </DialogTitle>
      <DialogContent className={styles.content}>
        {ended.length === 0 ? (
          <Text>{t("leaving.nothingLeft")}</Text>
        ) : (
          <LeavingList label={t("leaving.happened")}>
            {ended.map((each) => (
              <LeavingRow key={each.connectionId} connection={each}>
                <Ended ended={each} />
              </LeavingRow>
            ))}
          </LeavingList>
        )}
        {action.failure === undefined ? null : <FailureMessage failure={action.failure} />}
      </DialogContent>
      <DialogActions>
        {connections.some((connection) => connection.user !== user) ? (
          <Button className={styles.wide} onClick={onAnother}>
            {t("leaving.another")}
          </Button>
        ) : null}
        {isComplete ? null : (
          <Button disabledFocusable={action.pending} onClick={() => void tryAgain()}>
            {t("common.tryAgain")}
          </Button>
        )}
        <DialogTrigger disableButtonEnhancement>
          <Button appearance="primary">{t("leaving.close")}</Button>
        </DialogTrigger>
      </DialogActions>
    </DialogBody>
  );
}

function Ended({ ended }: { readonly ended: EndedConnectionView }) {
  const { t } = useTranslation();
  const copies = useCopiesText();
  const { outcome, providerName, copiesWorkUntilMs: atMs, copiesEndIsEstimate, hasGrantScreens, connectionId } = ended;
  if (outcome === "failed") return <Failed ended={ended} />;
  const names = { provider: providerName };
  return (
    <>
      <Mark good text={t(`leaving.was.${outcome}`, names)} />
      {atMs === undefined ? null : <Text>{copies({ atMs, isEstimate: copiesEndIsEstimate === true })}</Text>}
      {outcome === "forgotten" && hasGrantScreens ? (
        <>
          <Text>{t("leaving.screens", names)}</Text>
          <GrantScreensLink connectionId={connectionId} providerName={providerName} />
        </>
      ) : null}
    </>
  );
}

function Failed({ ended }: { readonly ended: EndedConnectionView }) {
  const { message, remedy } = useFailureText(ended.failure ?? failure("internal_error"));
  return (
    <>
      <Mark good={false} text={message} />
      <Text>{remedy}</Text>
    </>
  );
}

function isAmong(all: readonly EndedConnectionView[], one: EndedConnectionView): boolean {
  return all.some(({ connectionId }) => connectionId === one.connectionId);
}

const useStyles = makeStyles({
  wrap: { overflowWrap: "anywhere" },
  // Fluent breaks a label long before its dialog is full.
  wide: { "@media (min-width: 641px)": { maxWidth: "none", whiteSpace: "nowrap" } },
  title: { outlineStyle: "none" },
  content: { display: "flex", flexDirection: "column", rowGap: tokens.spacingVerticalM, paddingBottom: tokens.spacingVerticalS },
});
