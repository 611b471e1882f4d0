/** Opens pages in the user's own browser. Invariant: nothing but https, or http to this very computer, is handed to the system, and no URL is logged. */
import type { Shell } from "electron";
import { failure } from "../../shared/failure.ts";
import { err, ok } from "../../shared/result.ts";
import type { SystemBrowser } from "../core/ports.ts";
import { isLoopbackHost } from "./loopback-host.ts";

/** `shell.openExternal` starts whatever program is registered for a scheme, so the scheme is checked first. */
export function createSystemBrowser(shell: Pick<Shell, "openExternal">): SystemBrowser {
  return {
    open: async (url) => {
      if (!isBrowserUrl(url)) return err(failure("browser_not_opened"));
      try {
        await shell.openExternal(url);
        return ok();
      } catch {
        // The error would repeat the URL, which holds the state.
        return err(failure("browser_not_opened"));
      }
    },
  };
}

function isBrowserUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}
