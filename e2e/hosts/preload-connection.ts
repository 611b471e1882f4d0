/** Joins one page to the main process: installs the preload's world in it and carries messages both ways. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IpcMainInvokeEvent, WebContents, WebFrameMain } from "electron";
import type { CDPSession } from "playwright";
import { standIn } from "./not-implemented.ts";
import { pageWorldSource, preloadWorldSource, type WorldNames } from "./preload-world.ts";
import { toAppUrl } from "./scheme-origin.ts";
import { preventableEvent } from "./stand-in-app.ts";
import type { PreloadReply, PreloadRequest, StandInIpc } from "./stand-in-ipc.ts";
import { toWire } from "./wire.ts";

export interface PreloadConnection {
  /** `webContents.send`: dropped, as on Electron, while the page has no document that could listen. */
  readonly send: (channel: string, args: readonly unknown[]) => void;
}

/** Installs the preload at `preloadPath` for every document the page of `cdp` will load. */
export async function connectPreload(
  cdp: CDPSession,
  preloadPath: string,
  contents: WebContents,
  ipc: StandInIpc,
): Promise<PreloadConnection> {
  const names = newNames();
  let current: number | undefined;

  const deliver = (contextId: number | undefined, message: PreloadReply | MessageToPreload): void => {
    if (contextId === undefined) return;
    // Fails when the document is replaced meanwhile; whoever waited in it is gone too.
    cdp.send("Runtime.evaluate", { expression: `${names.receiver}(${JSON.stringify(message)})`, contextId }).catch(() => undefined);
  };
  cdp.on("Runtime.executionContextCreated", ({ context }) => {
    // CDP leaves the shape of auxData to the embedder; Chromium's has the frame.
    const { frameId } = context.auxData as { readonly frameId?: string };
    if (context.name === names.world && frameId === mainFrameId) current = context.id;
  });
  cdp.on("Runtime.executionContextDestroyed", ({ executionContextId }) => {
    if (executionContextId === current) current = undefined;
  });
  cdp.on("Runtime.bindingCalled", ({ name, payload, executionContextId }) => {
    if (name !== names.binding) return;
    // Written by the preload world's own code (preload-world.ts).
    const request = JSON.parse(payload) as PreloadRequest;
    void ipc.dispatch(invokeEvent(contents, request.href), request).then((reply) => {
      if (reply !== undefined) deliver(executionContextId, reply);
    });
  });

  const { frameTree } = await cdp.send("Page.getFrameTree");
  const mainFrameId = frameTree.frame.id;
  await cdp.send("Page.enable");
  await cdp.send("Runtime.enable");
  await cdp.send("Runtime.addBinding", { name: names.binding, executionContextName: names.world });
  await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source: pageWorldSource(names) });
  const source = preloadWorldSource(names, await readFile(preloadPath, "utf8"));
  await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source, worldName: names.world });

  return { send: (channel, args) => deliver(current, { kind: "message", channel, args: args.map(toWire) }) };
}

interface MessageToPreload {
  readonly kind: "message";
  readonly channel: string;
  readonly args: readonly unknown[];
}

function newNames(): WorldNames {
  const secret = randomBytes(16).toString("hex");
  return {
    world: `preload-${secret}`,
    binding: `binding_${secret}`,
    receiver: `receive_${secret}`,
    toPage: `to-page-${secret}`,
    toPreload: `to-preload-${secret}`,
  };
}

/** The preload runs in the main frame only, so that is who asks. */
function invokeEvent(contents: WebContents, href: string): IpcMainInvokeEvent {
  const url = toAppUrl(href);
  const { protocol, host } = new URL(url);
  const frame = standIn<WebFrameMain>("senderFrame", { url, origin: `${protocol}//${host}`, parent: null, isDestroyed: () => false });
  return standIn<IpcMainInvokeEvent>(
    "IpcMainInvokeEvent",
    preventableEvent({ sender: contents, senderFrame: frame, type: "frame" as const }),
  );
}
