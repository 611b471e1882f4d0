/** Electron's default session and `protocol` on the Chromium host: who answers a scheme, which certificate is trusted, what a page may ask for. */
import type { CustomScheme, Protocol, Session, WebContents } from "electron";
import type { CDPSession } from "playwright";
import { NotImplementedError, standIn } from "./not-implemented.ts";
import { schemeOf } from "./scheme-origin.ts";
import type { VerifyProc } from "./stand-in-net.ts";
import { proxyList } from "./stand-in-net-proxy.ts";

type CheckHandler = Parameters<Session["setPermissionCheckHandler"]>[0];
type RequestHandler = Parameters<Session["setPermissionRequestHandler"]>[0];
type Permission = Parameters<NonNullable<CheckHandler>>[1];

export interface StandInSession {
  readonly session: Session;
  readonly protocol: Protocol;
  readonly verifyProc: () => VerifyProc;
  /** Answers a request for an app URL; `undefined` if nobody handles its scheme. */
  readonly answer: (request: Request) => Promise<Response | undefined>;
  /** Has Chromium grant or deny what the app's own handlers would, for one window. */
  readonly applyPermissions: (cdp: CDPSession, contents: WebContents) => Promise<void>;
}

/** Electron's permissions that have a name in the Permissions API, by which CDP sets them. */
const permissionNames: readonly (readonly [Permission, readonly string[]])[] = [
  ["geolocation", ["geolocation"]],
  ["notifications", ["notifications"]],
  ["media", ["camera", "microphone"]],
  ["midi", ["midi"]],
  ["clipboard-read", ["clipboard-read"]],
  ["idle-detection", ["idle-detection"]],
];

/** Makes the session and `protocol`. */
export function createStandInSession(isReady: () => boolean): StandInSession {
  const schemes = new Map<string, CustomScheme>();
  const protocolHandlers = new Map<string, (request: Request) => Response | Promise<Response>>();
  let verifyProc: VerifyProc = null;
  let mayHave: CheckHandler = null;
  let mayAsk: RequestHandler = null;

  const protocolMethods: Partial<Protocol> = {
    registerSchemesAsPrivileged: (customSchemes) => {
      if (isReady()) throw new Error("protocol.registerSchemesAsPrivileged should be called before app is ready");
      for (const scheme of customSchemes) schemes.set(scheme.scheme, scheme);
    },
    handle: (scheme, handler) => {
      if (!isReady()) throw new Error("protocol.handle needs the app to be ready");
      // A page of an https origin stands for it, which is just what these two privileges mean.
      const { standard, secure } = schemes.get(scheme)?.privileges ?? {};
      if (standard !== true || secure !== true) throw new NotImplementedError("schemes that are not registered as standard and secure");
      protocolHandlers.set(scheme, handler);
    },
    isProtocolHandled: (scheme) => protocolHandlers.has(scheme),
    unhandle: (scheme) => void protocolHandlers.delete(scheme),
  };
  const protocol = standIn<Protocol>("protocol", protocolMethods);
  const sessionMethods: Partial<Session> = {
    protocol,
    resolveProxy: async (url) => proxyList(url, process.env),
    setCertificateVerifyProc: (proc) => {
      verifyProc = proc;
    },
    setPermissionCheckHandler: (handler) => {
      mayHave = handler;
    },
    setPermissionRequestHandler: (handler) => {
      mayAsk = handler;
    },
  };

  return {
    session: standIn<Session>("session.defaultSession", sessionMethods),
    protocol,
    verifyProc: () => verifyProc,
    answer: async (request) => protocolHandlers.get(schemeOf(request.url))?.(request),
    applyPermissions: async (cdp, contents) => {
      if (mayHave === null && mayAsk === null) return;
      for (const [permission, names] of permissionNames) {
        const granted = checkAllows(mayHave, contents, permission) && (await requestAllows(mayAsk, contents, permission));
        for (const name of names) {
          await cdp.send("Browser.setPermission", { permission: { name }, setting: granted ? "granted" : "denied" });
        }
      }
    },
  };
}

function checkAllows(handler: CheckHandler, contents: WebContents, permission: Permission): boolean {
  return handler === null || handler(contents, permission, contents.getURL(), { isMainFrame: true, requestingUrl: contents.getURL() });
}

function requestAllows(handler: RequestHandler, contents: WebContents, permission: Permission): Promise<boolean> {
  if (handler === null) return Promise.resolve(true);
  return new Promise((resolve) => handler(contents, permission, resolve, { isMainFrame: true, requestingUrl: contents.getURL() }));
}
