/** One window of the app on the Chromium host. Invariant: it has at most one page, and `closed` is emitted once, whoever closed it. */
import { EventEmitter } from "node:events";
import type { BrowserWindow, BrowserWindowConstructorOptions, WebContents } from "electron";
import type { CDPSession, Page } from "playwright";
import { standIn } from "./not-implemented.ts";
import type { ParentChannel } from "./parent-channel.ts";
import { connectPreload, type PreloadConnection } from "./preload-connection.ts";
import { toAppUrl, toBrowserUrl } from "./scheme-origin.ts";
import { preventableEvent } from "./stand-in-app.ts";
import type { StandInIpc } from "./stand-in-ipc.ts";
import type { StandInSession } from "./stand-in-session.ts";

export interface HostedWindowParts {
  readonly newPage: () => Promise<Page>;
  readonly ipc: StandInIpc;
  readonly session: StandInSession;
  readonly parent: ParentChannel | undefined;
}

/** Owns one page, its preload connection and the window's events. */
export class HostedWindow {
  readonly window: BrowserWindow;
  readonly contents: WebContents;
  private readonly options: BrowserWindowConstructorOptions;
  private readonly parts: HostedWindowParts;
  private readonly onClosed: () => void;
  private readonly emitter = new EventEmitter();
  private readonly contentsEmitter = new EventEmitter();
  private readonly opened: Promise<Page>;
  private currentPage: Page | undefined;
  private preload: PreloadConnection | undefined;
  private visible: boolean;
  private minimized = false;
  private loading = false;
  private closing = false;
  private destroyed = false;

  constructor(id: number, options: BrowserWindowConstructorOptions, parts: HostedWindowParts, onClosed: () => void) {
    this.options = options;
    this.parts = parts;
    this.onClosed = onClosed;
    this.visible = options.show ?? true;
    this.contents = this.createContents(id);
    this.window = this.createWindow(id);
    this.opened = this.openPage();
    // Whoever loads a page into the window gets the error; without a load there is nobody to tell.
    this.opened.catch(() => undefined);
  }

  get page(): Page | undefined {
    return this.currentPage;
  }

  /** Closes the window unless the app prevents it; whether it closed. */
  async requestClose(): Promise<boolean> {
    const event = preventableEvent({});
    this.emitter.emit("close", event);
    if (event.defaultPrevented) return false;
    await this.destroy();
    return true;
  }

  /** Whether the app lets a frame go to `url`; asks it by the events Electron raises. */
  mayNavigate(url: string, isMainFrame: boolean): boolean {
    // `loadURL` and reloading raise none of these events in Electron either.
    if (isMainFrame && (this.loading || url === this.contents.getURL())) return true;
    const event = preventableEvent({ url, isMainFrame, isSameDocument: false });
    this.contentsEmitter.emit("will-frame-navigate", event);
    if (isMainFrame) this.contentsEmitter.emit("will-navigate", event, url);
    return !event.defaultPrevented;
  }

  private createContents(id: number): WebContents {
    const methods: Partial<WebContents> = {
      id,
      session: this.parts.session.session,
      isDestroyed: () => this.destroyed,
      getURL: () => toAppUrl(this.currentPage?.url() ?? "about:blank"),
      isLoading: () => this.loading,
      loadURL: (url) => this.load(url),
      send: (channel, ...args: unknown[]) => this.preload?.send(channel, args),
      // A page that `window.open` made is closed in any case (electron-stand-in.ts), so only a refusal can be kept.
      setWindowOpenHandler: (handler) => {
        const answer = handler({
          url: "about:blank",
          frameName: "",
          features: "",
          disposition: "new-window",
          referrer: { url: "", policy: "default" },
        });
        if (answer.action !== "deny") throw new Error("not implemented on the Chromium host: windows opened by a page");
      },
      close: () => void this.requestClose(),
    };
    return standIn<WebContents>("webContents", methods, this.contentsEmitter);
  }

  private createWindow(id: number): BrowserWindow {
    const methods: Partial<BrowserWindow> = {
      id,
      webContents: this.contents,
      loadURL: (url) => this.load(url),
      isDestroyed: () => this.destroyed,
      isVisible: () => this.visible && !this.destroyed,
      isMinimized: () => this.minimized,
      show: () => this.show(),
      focus: () => this.focus(),
      minimize: () => this.minimize(true),
      restore: () => this.minimize(false),
      close: () => void this.requestClose(),
      destroy: () => void this.destroy(),
    };
    return standIn<BrowserWindow>("BrowserWindow", methods, this.emitter);
  }

  private async openPage(): Promise<Page> {
    const page = await this.parts.newPage();
    const cdp = await page.context().newCDPSession(page);
    const preloadPath = this.options.webPreferences?.preload;
    if (preloadPath !== undefined) this.preload = await connectPreload(cdp, preloadPath, this.contents, this.parts.ipc);
    await this.parts.session.applyPermissions(cdp, this.contents);
    await setSize(cdp, this.options);
    page.once("close", () => this.pageClosed());
    page.on("load", () => this.contentsEmitter.emit("did-finish-load"));
    page.on("crash", () => this.contentsEmitter.emit("render-process-gone", preventableEvent({}), { reason: "crashed", exitCode: 1 }));
    this.currentPage = page;
    return page;
  }

  private async load(url: string): Promise<void> {
    const page = await this.opened;
    this.loading = true;
    try {
      await page.goto(toBrowserUrl(url));
    } catch (error) {
      this.contentsEmitter.emit("did-fail-load", preventableEvent({}), -2, "ERR_FAILED", url, true);
      throw error;
    } finally {
      this.loading = false;
    }
    this.emitter.emit("ready-to-show");
    this.parts.parent?.tell({ kind: "window-loaded", browserUrl: page.url() });
  }

  private show(): void {
    this.visible = true;
    this.emitter.emit("show");
    this.raise();
  }

  private focus(): void {
    this.raise();
    this.emitter.emit("focus");
  }

  private minimize(minimized: boolean): void {
    this.minimized = minimized;
    this.emitter.emit(minimized ? "minimize" : "restore");
  }

  private raise(): void {
    // Fails only when the page closes meanwhile, which its own event reports.
    this.currentPage?.bringToFront().catch(() => undefined);
  }

  private async destroy(): Promise<void> {
    this.closing = true;
    const page = await this.opened.catch(() => undefined);
    await page?.close().catch(() => undefined);
    this.gone();
  }

  /** A person closed the page, or Chromium ended: nothing could hold it, so the app is told and cannot refuse. */
  private pageClosed(): void {
    if (!this.closing) this.emitter.emit("close", preventableEvent({}));
    this.gone();
  }

  private gone(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.contentsEmitter.emit("destroyed");
    this.emitter.emit("closed");
    this.onClosed();
  }
}

async function setSize(cdp: CDPSession, options: BrowserWindowConstructorOptions): Promise<void> {
  const { width, height } = options;
  if (width === undefined || height === undefined) return;
  const { windowId } = await cdp.send("Browser.getWindowForTarget");
  await cdp.send("Browser.setWindowBounds", { windowId, bounds: { width, height } });
}
