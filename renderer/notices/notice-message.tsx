/** A notice as the window shows it, above the page and among the notices of the settings. */
import type { ReactNode } from "react";
import type { Failure } from "../../shared/failure.ts";
import { useFailureText } from "../i18n/failure-text.ts";
import { Message } from "../parts/failure-message.tsx";
import { useWordsOrSaved } from "../proxy/saved-proxy.tsx";

interface NoticeMessageProps {
  readonly notice: Failure;
  readonly action: ReactNode;
  readonly onDismiss?: () => void;
}

export function NoticeMessage({ notice, action, onDismiss }: NoticeMessageProps) {
  const { message, remedy } = useFailureText(notice);
  const words = useWordsOrSaved(notice, { intent: "warning", title: message, text: remedy });
  return <Message {...words} action={action} onDismiss={onDismiss} />;
}
