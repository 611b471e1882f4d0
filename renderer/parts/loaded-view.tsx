/** The three faces of something that comes from the main process: not there yet, failed, there. */
import { Button, Spinner } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Live } from "../state/use-live.ts";
import { FailureMessage } from "./failure-message.tsx";

interface LoadedViewProps<T> {
  readonly live: Live<T>;
  readonly children: (value: T) => ReactNode;
}

export function LoadedView<T>({ live, children }: LoadedViewProps<T>) {
  const { t } = useTranslation();
  if (live.state.kind === "loading") return <Spinner label={t("common.loading")} />;
  if (live.state.kind === "ready") return children(live.state.value);
  return <FailureMessage failure={live.state.failure} action={<Button onClick={live.reload}>{t("common.tryAgain")}</Button>} />;
}

/** The value once it is there, else `otherwise`. */
export function valueOr<T>(live: Live<T>, otherwise: T): T {
  return live.state.kind === "ready" ? live.state.value : otherwise;
}
