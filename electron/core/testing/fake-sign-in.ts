/** The person's side of a sign-in: a callback endpoint and a browser that do what the test says. */
import type { Failure } from "../../../shared/failure.ts";
import { err, ok, type Result } from "../../../shared/result.ts";
import type { CallbackEndpoint, CallbackPageOutcome, PendingCallback, SystemBrowser } from "../ports.ts";

/** One opened callback port. */
export class FakePort implements PendingCallback {
  readonly redirectUri: string;
  isOpen = true;
  state: string | undefined;
  /** What the browser page showed in the end. */
  shown: CallbackPageOutcome | undefined;
  #deliver: (query: URLSearchParams) => void = () => undefined;

  constructor(redirectUri: string) {
    this.redirectUri = redirectUri;
  }

  receive = (state: string): Promise<URLSearchParams> => {
    this.state = state;
    return new Promise((resolve) => {
      this.#deliver = resolve;
    });
  };
  finish = (outcome: CallbackPageOutcome): void => {
    this.shown = outcome;
    this.isOpen = false;
  };
  close = (): void => {
    this.isOpen = false;
  };

  /** The provider sends the browser back. */
  deliver(): void {
    if (this.isOpen) this.#deliver(new URLSearchParams({ code: "code-1", state: this.state ?? "" }));
  }
}

export class FakeCallbackEndpoint implements CallbackEndpoint {
  readonly ports: FakePort[] = [];
  failure: Failure | undefined;
  /** Settles before a port is opened. */
  opening: Promise<void> | undefined;

  listen = async (redirectUris: readonly string[]): Promise<Result<PendingCallback>> => {
    await this.opening;
    if (this.failure !== undefined) return err(this.failure);
    const port = new FakePort(redirectUris[0] ?? "");
    this.ports.push(port);
    return ok(port);
  };

  get last(): FakePort {
    const port = this.ports.at(-1);
    if (port === undefined) throw new Error("no port was opened");
    return port;
  }
}

export class FakeBrowser implements SystemBrowser {
  readonly opened: string[] = [];
  failure: Failure | undefined;

  open = async (url: string): Promise<Result<undefined>> => {
    this.opened.push(url);
    return this.failure === undefined ? ok() : err(this.failure);
  };
}
