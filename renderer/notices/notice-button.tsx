/** The button of a notice that does what it asks for, or leads to where a person does it. */
import { Button } from "@fluentui/react-components";
import { useTranslation } from "react-i18next";
import type { Failure, FailureCode } from "../../shared/failure.ts";
import { hasProxySignIn, ProxySignIn } from "../proxy/proxy-sign-in.tsx";
import type { PageName } from "../window-frame.tsx";

/** Where a person does what the notice asks for. */
const placeOfRemedy: Partial<Record<FailureCode, "connections" | "setUp">> = {
  vault_damaged: "connections",
  vault_changed: "connections",
  vault_rolled_back: "connections",
  vault_restored: "connections",
  vault_started_anew: "setUp",
};

interface NoticeButtonProps {
  readonly notice: Failure;
  readonly page: PageName;
  readonly onGoTo: (page: PageName) => void;
}

/** Whether there is a button: not where there is nothing to do and nowhere to go, or the person is there already. */
export function hasNoticeButton({ notice, page }: Pick<NoticeButtonProps, "notice" | "page">): boolean {
  const place = placeOfRemedy[notice.code];
  return place === undefined ? hasProxySignIn(notice) : place !== page;
}

export function NoticeButton({ notice, onGoTo }: Omit<NoticeButtonProps, "page">) {
  const { t } = useTranslation();
  const place = placeOfRemedy[notice.code];
  if (place === undefined) return <ProxySignIn failure={notice} />;
  return <Button onClick={() => onGoTo(place)}>{t(place === "connections" ? "connections.show" : "connections.empty.goToSetUp")}</Button>;
}
