/** A network that is there or not, as the test says. */
import type { Network } from "../ports.ts";

export class FakeNetwork implements Network {
  /** What the system says. */
  online = true;
  /** Whether the way to a provider begins. */
  reachable = true;
  /** Addresses that were looked for. */
  readonly looks: string[] = [];
  readonly #listeners = new Set<() => void>();

  isOnline = (): boolean => this.online;

  canReach = async (url: string): Promise<boolean> => {
    this.looks.push(url);
    return this.reachable;
  };

  onChanged = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The system says something else from now on. */
  become(online: boolean): void {
    this.online = online;
    for (const listener of this.#listeners) listener();
  }
}
