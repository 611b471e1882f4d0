/** How sign-ins end, read from the events of a session. Invariant: an outcome counts only after its own Connecting was heard. */
import type { BrokerConnection } from "../../clients/node/dms-connect-client.ts";

export type SignInOutcome = "connected" | "failed";

interface Waiting {
  hasBegun: boolean;
  readonly settle: (outcome: SignInOutcome) => void;
}

export class ConnectionEvents {
  readonly #waiting = new Map<string, Waiting>();

  heard({ user, state, problem }: BrokerConnection): void {
    const waiting = this.#waiting.get(user);
    if (waiting === undefined) return;
    if (state === "Connecting") {
      waiting.hasBegun = true;
      return;
    }
    if (!waiting.hasBegun) return;
    this.#waiting.delete(user);
    waiting.settle(state === "Active" && problem === undefined ? "connected" : "failed");
  }

  /** Settles with how the user's next sign-in ends. Call before it is started. */
  nextSignIn(user: string): Promise<SignInOutcome> {
    return new Promise((settle) => this.#waiting.set(user, { hasBegun: false, settle }));
  }
}
