/** The one way a failure is shown: what happened, what to do, and at most one button to do it with. */
import {
  Button,
  MessageBar,
  MessageBarActions,
  MessageBarBody,
  type MessageBarIntent,
  MessageBarTitle,
  makeStyles,
  tokens,
} from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons/svg/dismiss";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import { useFailureText } from "../i18n/failure-text.ts";
import { narrowWindow, useMediaQuery } from "../state/use-media-query.ts";

export interface MessageProps {
  readonly intent: MessageBarIntent;
  /** In bold; a quiet line has none. */
  readonly title?: string;
  readonly text: string;
  /** The button that does what the text says. */
  readonly action?: ReactNode;
  readonly onDismiss?: (() => void) | undefined;
}

/** A sentence, what to do about it, and a button. */
export function Message({ intent, title, text, action, onDismiss }: MessageProps) {
  const styles = useStyles();
  const { t } = useTranslation();
  const isNarrow = useMediaQuery(narrowWindow);
  return (
    <MessageBar intent={intent} layout={isNarrow ? "multiline" : "singleline"} className={styles.bar}>
      <MessageBarBody className={styles.body}>
        {title === undefined ? (
          // The bar is named by its title.
          <MessageBarTitle className={styles.quiet}>{text}</MessageBarTitle>
        ) : (
          <>
            <MessageBarTitle>{title}</MessageBarTitle> {text}
          </>
        )}
      </MessageBarBody>
      {action === undefined && onDismiss === undefined ? null : (
        <MessageBarActions
          containerAction={
            onDismiss === undefined ? null : (
              <Button appearance="transparent" aria-label={t("common.dismiss")} icon={<DismissRegular />} onClick={onDismiss} />
            )
          }
        >
          {action}
        </MessageBarActions>
      )}
    </MessageBar>
  );
}

interface FailureMessageProps extends Pick<MessageProps, "action" | "onDismiss"> {
  readonly failure: Failure;
  readonly intent?: MessageBarIntent;
}

/** A failure in the window's language. */
export function FailureMessage({ failure, intent = "error", action, onDismiss }: FailureMessageProps) {
  const { message, remedy } = useFailureText(failure);
  return <Message intent={intent} title={message} text={remedy} action={action} onDismiss={onDismiss} />;
}

const useStyles = makeStyles({
  bar: { paddingBlock: "8px" },
  quiet: { fontWeight: tokens.fontWeightRegular },
  // Fluent keeps a message on one line; a remedy must be readable in full.
  body: { whiteSpace: "normal", overflowWrap: "anywhere", minWidth: 0 },
});
