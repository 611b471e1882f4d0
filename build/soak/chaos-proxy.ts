/**
 * A TCP proxy on loopback between the app and one server that delays, cuts, corrupts and closes.
 *
 * What it carries is TLS, as it is on the way to a real provider. So a corrupted byte does not become another token: it
 * breaks the record it is in, and with it the connection, as on any network. Without TLS a soak would find faults that
 * nobody can have.
 */
import { connect, createServer, type Socket } from "node:net";
import type { Random } from "../crash/random.ts";
import { boundPort } from "./bound-port.ts";
import { ChaosLink } from "./chaos-link.ts";
import { calmFate, drawFate, type FateKind } from "./fates.ts";

export type TroubleKind = Exclude<FateKind, "pass"> | "idle-close";

export interface ChaosProxy {
  readonly port: number;
  /** Where new connections lead to. */
  readonly leadTo: (serverPort: number) => void;
  /** The link whose connection to the server has this port at the proxy's end, while it lasts. */
  readonly linkAt: (ownPort: number) => ChaosLink | undefined;
  /** From now on nothing happens to new connections; those that are there end. */
  readonly calmDown: () => void;
  /** While it is broken every connection ends at once. */
  readonly setBroken: (isBroken: boolean) => void;
  readonly troubles: ReadonlyMap<TroubleKind, number>;
  readonly close: () => Promise<void>;
}

/** A connection that lives on is ended after a time between these. */
const shortestLifeMs = 1_000;
const longestLifeMs = 60_000;

/**
 * Listens on a free port of 127.0.0.1.
 *
 * @param random decides what happens to each connection, until `calmDown`
 */
export async function startChaosProxy(random: Random): Promise<ChaosProxy> {
  const links = new Map<number, ChaosLink>();
  const open = new Set<ChaosLink>();
  const troubles = new Map<TroubleKind, number>();
  const note = (kind: TroubleKind) => troubles.set(kind, (troubles.get(kind) ?? 0) + 1);
  let serverPort: number | undefined;
  let isBroken = false;
  let isWild = true;
  const cutAll = () => {
    for (const link of open) link.cut(true);
  };
  const accept = (app: Socket) => {
    app.setNoDelay(true);
    if (isBroken || serverPort === undefined) {
      app.on("error", () => undefined);
      app.resetAndDestroy();
      return;
    }
    const server = connect({ port: serverPort, host: "127.0.0.1", noDelay: true });
    const link = new ChaosLink({
      app,
      server,
      drawFate: () => (isWild ? drawFate(random) : calmFate),
      onTrouble: (kind) => kind !== "pass" && note(kind),
    });
    open.add(link);
    server.once("connect", () => remember(links, server, link));
    const ageing = setTimeout(() => isWild && link.isOpen && endIdle(link, note), random.between(shortestLifeMs, longestLifeMs));
    app.once("close", () => {
      clearTimeout(ageing);
      open.delete(link);
    });
  };
  const listener = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: boundPort(listener),
    leadTo: (port) => {
      serverPort = port;
    },
    linkAt: (ownPort) => links.get(ownPort),
    calmDown: () => {
      isWild = false;
      cutAll();
    },
    setBroken: (broken) => {
      isBroken = broken;
      if (broken) cutAll();
    },
    troubles,
    close: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cutAll();
      await closed;
    },
  };
}

function endIdle(link: ChaosLink, note: (kind: TroubleKind) => void): void {
  note("idle-close");
  link.cut(false);
}

function remember(links: Map<number, ChaosLink>, server: Socket, link: ChaosLink): void {
  const port = server.localPort ?? 0;
  links.set(port, link);
  server.once("close", () => {
    // The port may have been given to another connection.
    if (links.get(port) === link) links.delete(port);
  });
}
