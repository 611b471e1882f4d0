/**
 * The few web standards `core/` may use. Its own tsconfig sees these and neither Node nor the DOM, so
 * that a decision can never reach for I/O.
 */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };
interface URLSearchParams {
  get(name: string): string | null;
}
