/**
 * Holds token requests of a stand-in provider at a chosen point, so that tests of races need no clock.
 * Invariant: a held request goes on as soon as it is resumed or the provider closes; a hanging one never does, it is cut.
 */
import type { IncomingMessage } from "node:http";

/** `before-processing`: nothing has changed yet. `after-processing`: tokens are rotated, only the answer is held. */
export type HoldPoint = "before-processing" | "after-processing";

export interface Hold {
  /** Settles when the first request has reached the point. */
  readonly arrived: Promise<void>;
  /** Lets held and later requests go on. May be called twice. */
  readonly resume: () => void;
}

interface OpenHold {
  readonly point: HoldPoint;
  readonly markArrived: () => void;
  readonly released: Promise<void>;
  readonly release: () => void;
}

export class TokenEndpointGate {
  readonly #holds = new Set<OpenHold>();
  readonly #hanging = new Set<() => void>();
  #arrived = 0;

  /** Holds every token request that reaches `point` from now on. */
  hold(point: HoldPoint = "before-processing"): Hold {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const open: OpenHold = {
      point,
      markArrived: arrived.resolve,
      released: released.promise,
      release: released.resolve,
    };
    this.#holds.add(open);
    return { arrived: arrived.promise, resume: () => this.#resume(open) };
  }

  /** Called by the provider when a request reaches `point`; waits while it is held. */
  async pass(point: HoldPoint): Promise<void> {
    const holds = [...this.#holds].filter((hold) => hold.point === point);
    for (const hold of holds) hold.markArrived();
    await Promise.all(holds.map((hold) => hold.released));
  }

  /** Lets everything that is held go on, and cuts what hangs. */
  resumeAll(): void {
    for (const hold of this.#holds) this.#resume(hold);
    this.cutHanging();
  }

  /** Called by the provider for each token request: its number since the start, from 1. */
  count(): number {
    this.#arrived += 1;
    return this.#arrived;
  }

  /** Called by the provider for a request that is to hang; settles when its client has gone or `cutHanging` was called. */
  async hang(request: IncomingMessage): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hanging.add(resolve);
    request.socket.once("close", resolve);
    await promise;
    this.#hanging.delete(resolve);
  }

  /** How many requests hang. */
  get hanging(): number {
    return this.#hanging.size;
  }

  /** Ends the connections that hang. */
  cutHanging(): void {
    for (const cut of this.#hanging) cut();
  }

  #resume(hold: OpenHold): void {
    this.#holds.delete(hold);
    hold.release();
  }
}
