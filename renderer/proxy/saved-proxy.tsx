/**
 * After a sign-in to a proxy was saved, what asked for it says so instead. Invariant: only until there is news, which may be that
 * the proxy asks again.
 */
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Failure } from "../../shared/failure.ts";
import type { MessageProps } from "../parts/failure-message.tsx";
import { proxyOf } from "./proxy-of.ts";

interface SavedProxy {
  /** Host and port; absent: nothing was saved since the last news. */
  readonly proxy: string | undefined;
  readonly setProxy: (proxy: string) => void;
}

const SavedProxyContext = createContext<SavedProxy>({ proxy: undefined, setProxy: () => undefined });

interface SavedProxyProviderProps {
  /** Another object each time there is news of the network. */
  readonly news: object | undefined;
  readonly children: ReactNode;
}

export function SavedProxyProvider({ news, children }: SavedProxyProviderProps) {
  const [seen, setSeen] = useState(news);
  const [proxy, setProxy] = useState<string>();
  if (seen !== news) {
    setSeen(news);
    setProxy(undefined);
  }
  const saved = useMemo(() => ({ proxy, setProxy }), [proxy]);
  return <SavedProxyContext value={saved}>{children}</SavedProxyContext>;
}

/** To be called with the proxy whose sign-in was saved. */
export function useSetSavedProxy(): (proxy: string) => void {
  return useContext(SavedProxyContext).setProxy;
}

type Words = Pick<MessageProps, "intent" | "title" | "text">;

/** @returns `words`, or that what `failure` asks for was saved */
export function useWordsOrSaved(failure: Failure | undefined, words: Words): Words {
  const { t } = useTranslation();
  const { proxy } = useContext(SavedProxyContext);
  const isSaved = proxy !== undefined && failure !== undefined && proxyOf(failure) === proxy;
  return isSaved ? { intent: "info", title: t("proxy.saved"), text: t("proxy.savedText") } : words;
}
