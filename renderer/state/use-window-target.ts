/** What the window is to show because a notification, a link or a program asked for it. */
import { useEffect } from "react";
import type { WindowTarget } from "../../shared/views.ts";
import { invoke, on } from "../api.ts";

/**
 * Calls `onTarget` with what the window was opened for, and with every later target; a later one is never overtaken by the
 * first.
 *
 * @param onTarget must be a constant: a new function asks again
 */
export function useWindowTarget(onTarget: (target: WindowTarget) => void): void {
  useEffect(() => {
    let isOvertaken = false;
    const stop = on("windowTargetChanged", (target) => {
      isOvertaken = true;
      onTarget(target);
    });
    void invoke("window.target").then((first) => {
      // Main tells it only once, so it counts even if this effect has been renewed meanwhile.
      if (first.ok && first.value !== undefined && !isOvertaken) onTarget(first.value);
    });
    return stop;
  }, [onTarget]);
}
