/** Media queries as state, for what CSS alone cannot do: another markup, another Fluent theme. */
import { useCallback, useSyncExternalStore } from "react";

/** Whether the media query matches now. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Up to this width the navigation moves to the top. */
export const narrowWindow = "(max-width: 640px)";
/** From this width on the connections fit into a table. */
export const tableWindow = "(min-width: 1080px)";
export const darkSystem = "(prefers-color-scheme: dark)";
