/**
 * `dms-connect://` links. Any web page and any program may open one, so a link can do one thing only: open the window on a
 * page. Invariants: nothing of a link is executed, logged or handed on but a `WindowTarget` of known form; whatever is
 * not exactly a known link opens the window as it is.
 *
 * `dms-connect://connections`, `dms-connect://connections/<connection id>`, `dms-connect://programs`, `dms-connect://settings`
 */
import type { App } from "electron";
import { connectionId, environments, type WindowTarget } from "../../shared/views.ts";

const linkScheme = "dms-connect";

/** Room for a user id of 256 characters, each of them escaped. */
const longestLink = 4_096;
const longestUser = 256;
const pages: readonly WindowTarget["page"][] = ["connections", "programs", "settings"];

/** Whether the argument is a link of this app, of whatever content. The system compares a scheme without regard to case (RFC 3986, section 3.1). */
export function isAppLink(argument: string): boolean {
  return argument.slice(0, linkScheme.length + 1).toLowerCase() === `${linkScheme}:`;
}

/** The first link on a command line: Windows and Linux pass it as an argument of a start. */
export function linkIn(commandLine: readonly string[]): string | undefined {
  return commandLine.find(isAppLink);
}

/** Where the link on a command line, if there is one, leads. */
export function targetIn(commandLine: readonly string[]): WindowTarget | undefined {
  const link = linkIn(commandLine);
  return link === undefined ? undefined : parseAppLink(link);
}

/** What the link asks the window to show; undefined for any link that is not exactly one of the known ones. */
export function parseAppLink(link: string): WindowTarget | undefined {
  const prefix = `${linkScheme}://`;
  if (link.length > longestLink || !link.startsWith(prefix)) return undefined;
  // Windows puts a slash behind a link that has but a host.
  const [name, ...rest] = link.slice(prefix.length).replace(/\/$/, "").split("/");
  const page = pages.find((known) => known === name);
  if (page === undefined) return undefined;
  if (rest.length === 0) return { page };
  const id = page === "connections" ? connectionIdOf(rest) : undefined;
  return id === undefined ? undefined : { page, connectionId: id };
}

/** The id if it is spelt as the app spells it: there is one spelling for each connection. */
function connectionIdOf(parts: readonly string[]): string | undefined {
  const [provider = "", environment = "", user = "", ...others] = parts.map(decoded);
  if (others.length > 0 || !/^[a-z][a-z0-9-]{0,63}$/.test(provider) || !environments.some((known) => known === environment)) {
    return undefined;
  }
  if (user === "" || user.length > longestUser || /\p{C}/u.test(user)) return undefined;
  const id = connectionId({ provider, environment, user });
  return id === parts.join("/") ? id : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/**
 * Has the system open links with the installed app. A copy that runs from its sources must not take them away from it, and on
 * Linux the desktop file of the installed app says so (`MimeType=x-scheme-handler/dms-connect`).
 */
export function registerAppLinks(app: Pick<App, "isPackaged" | "setAsDefaultProtocolClient">, platform: NodeJS.Platform): void {
  if (app.isPackaged && platform !== "linux") app.setAsDefaultProtocolClient(linkScheme);
}
