/**
 * Keeps the window where it is. Invariant: no page but the app's own is ever shown, no second window is
 * opened by a page, and no page is granted a permission (Electron security checklist, 5, 13 and 14).
 */
import type { App, Session, WebContents } from "electron";

/** Guards every page that will ever be made. Must be called before the first window. */
export function guardNavigation(app: Pick<App, "on">): void {
  app.on("web-contents-created", (_event, contents) => guardContents(contents));
}

/** Refuses every permission a page of this session may ask for. Must be called after the app is ready. */
export function refusePermissions(session: Pick<Session, "setPermissionRequestHandler" | "setPermissionCheckHandler">): void {
  session.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  session.setPermissionCheckHandler(() => false);
}

function guardContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  // Loading by `loadURL` raises neither event: what arrives here was asked for by a page.
  contents.on("will-navigate", (event) => event.preventDefault());
  contents.on("will-frame-navigate", (event) => event.preventDefault());
  contents.on("will-attach-webview", (event) => event.preventDefault());
}
