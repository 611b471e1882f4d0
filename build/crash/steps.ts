/**
 * Every point at which the harness can end the broker, in one place. A new one is an entry here and a call of `step` (in
 * the child) or of `onStep` (in the provider). Invariant: names are unique, and each entry says what brings the broker there.
 */

/** What the parent does in a run so that a step is reached. */
export type Errand =
  /** Nothing: every start comes by. */
  | "start"
  /** Asking for tokens. */
  | "traffic"
  | "sign-in"
  | "revoke"
  | "register"
  | "pair"
  | "back-up"
  | "rekey"
  | "close";

export interface StepDefinition {
  /** Who notices it: the broker's own process, or the provider it talks to. */
  readonly place: "child" | "provider";
  readonly errand: Errand;
  /** A run may be ended at the first to the n-th time it comes by. */
  readonly occurrences: number;
}

function inChild(errand: Errand, occurrences = 1) {
  return { place: "child", errand, occurrences } as const;
}

function atProvider(errand: Errand, occurrences = 1) {
  return { place: "provider", errand, occurrences } as const;
}

export const steps = {
  "process-started": inChild("start"),
  "vault-opening": inChild("start"),
  "vault-opened": inChild("start"),
  "pipe-listening": inChild("start"),

  /** Inside every transaction of the vault: written, and then committed. */
  "transaction-written": inChild("traffic", 8),
  "transaction-committed": inChild("traffic", 8),

  "in-flight-writing": inChild("traffic", 3),
  "in-flight-committed": inChild("traffic", 3),
  "request-leaving": inChild("traffic", 3),
  "request-received": atProvider("traffic", 3),
  "rotated-unanswered": atProvider("traffic", 3),
  "answer-half-written": atProvider("traffic", 3),
  "answer-received": inChild("traffic", 3),
  "tokens-writing": inChild("traffic", 3),
  "tokens-committed": inChild("traffic", 3),
  answering: inChild("traffic", 5),
  answered: inChild("traffic", 5),
  "audit-committed": inChild("traffic", 2),

  "code-leaving": inChild("sign-in"),
  "code-exchanged-unanswered": atProvider("sign-in"),
  "sign-in-writing": inChild("sign-in"),
  "sign-in-committed": inChild("sign-in"),

  "revoking-writing": inChild("revoke"),
  "revoking-committed": inChild("revoke"),
  "revocation-leaving": inChild("revoke"),
  "revoked-unanswered": atProvider("revoke"),
  "revocation-answered": inChild("revoke"),
  "connection-deleting": inChild("revoke"),
  "connection-deleted": inChild("revoke"),

  "registrations-writing": inChild("register"),
  "registrations-saved": inChild("register"),
  "pairing-writing": inChild("pair"),
  "pairing-saved": inChild("pair"),

  "backup-begun": inChild("back-up"),
  /** Any file that takes its final name: the key file, a backup. */
  "file-renaming": inChild("back-up", 3),
  "file-renamed": inChild("back-up", 3),
  "backup-taken": inChild("back-up"),

  /** A change of the vault key: the same commits and renames, while it is under way. */
  "rekey-begun": inChild("rekey"),
  "rekey-file-renaming": inChild("rekey", 2),
  "rekey-file-renamed": inChild("rekey", 2),
  "rekey-transaction-written": inChild("rekey"),
  "rekey-transaction-committed": inChild("rekey"),
  "rekey-done": inChild("rekey"),

  "close-begun": inChild("close"),
  "vault-closing": inChild("close"),
  "vault-closed": inChild("close"),
} as const satisfies Record<string, StepDefinition>;

export type StepName = keyof typeof steps;
type StepAt<P> = { [N in StepName]: (typeof steps)[N]["place"] extends P ? N : never }[StepName];
export type ChildStep = StepAt<"child">;
export type ProviderStep = StepAt<"provider">;

export const stepNames = Object.keys(steps) as readonly StepName[]; // the keys of a constant

export function isStepName(text: string): text is StepName {
  return Object.hasOwn(steps, text);
}
