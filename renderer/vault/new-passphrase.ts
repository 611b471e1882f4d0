/** A passphrase that is being made up: typed twice, long enough. Pure; main checks again. */

/** Fewest characters of a passphrase. Main refuses shorter ones too (`vault_passphrase_weak`). */
export const passphraseLeast = 12;

export interface NewPassphrase {
  readonly passphrase: string;
  readonly repeated: string;
}

export const noPassphrase: NewPassphrase = { passphrase: "", repeated: "" };

/** What is wrong with each field; a field that is right is absent. */
export interface NewPassphraseProblems {
  readonly passphrase?: "missing" | "short";
  readonly repeated?: "missing" | "different";
}

/** What keeps the passphrase from being used, or `undefined` when it can be. */
export function newPassphraseProblems({ passphrase, repeated }: NewPassphrase): NewPassphraseProblems | undefined {
  if (passphrase === "") return { passphrase: "missing" };
  // Characters as a person counts them, not UTF-16 units.
  if (Array.from(passphrase).length < passphraseLeast) return { passphrase: "short" };
  if (repeated === "") return { repeated: "missing" };
  return repeated === passphrase ? undefined : { repeated: "different" };
}
