/**
 * Programs that a person has blocked. Invariant: a program is blocked only once the vault has it, so that it stays blocked
 * through a restart.
 */
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import type { BlockedProgramView } from "../../shared/views.ts";
import { createEmitter } from "./emitter.ts";
import type { Clock, Randomness, Vault } from "./ports.ts";
import { isSameProgram, type ProgramIdentity } from "./program-identity.ts";

/** The vault's name for the list. */
const secretName = "blocked-programs";
/** More than a person will ever block; the list is read with each request to be paired. */
const maxBlocked = 500;

export interface BlockedProgramsDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class BlockedPrograms {
  readonly #deps: BlockedProgramsDeps;
  #blocked: readonly BlockedProgramView[] = [];
  /** One change after the other: each begins with what the one before has left. */
  #lastChange: Promise<unknown> = Promise.resolve();
  readonly #changed = createEmitter<readonly BlockedProgramView[]>();
  readonly onChanged = this.#changed.listen;

  constructor(deps: BlockedProgramsDeps) {
    this.#deps = deps;
  }

  /** Reads the list; call once before anything else. */
  async open(): Promise<Result<undefined>> {
    const stored = await this.#deps.vault.readSecret(secretName);
    if (!stored.ok) return stored;
    // Written by this file only, and sealed against everybody else.
    if (stored.value !== undefined) this.#blocked = JSON.parse(stored.value) as readonly BlockedProgramView[];
    return ok();
  }

  list(): readonly BlockedProgramView[] {
    return this.#blocked;
  }

  isBlocked(program: ProgramIdentity): boolean {
    return this.#blocked.some((blocked) => isSameProgram(blocked, program));
  }

  /** Blocks a program; the oldest entry goes when there are too many. Fails with a `vault_*` code. */
  block({ name, publisher, programPath }: ProgramIdentity & { readonly publisher?: string }): Promise<Result<undefined>> {
    const entry: BlockedProgramView = {
      blockedId: this.#deps.randomness.newId(),
      name,
      ...(publisher === undefined ? {} : { publisher }),
      ...(programPath === undefined ? {} : { programPath }),
      blockedAtMs: this.#deps.clock.nowMs(),
    };
    return this.#change((blocked) => [...blocked, entry].slice(-maxBlocked));
  }

  /** Lets it ask again. Fails with `program_unknown` or a `vault_*` code. */
  unblock(blockedId: string): Promise<Result<undefined>> {
    return this.#change((blocked) => {
      const rest = blocked.filter((one) => one.blockedId !== blockedId);
      return rest.length === blocked.length ? undefined : rest;
    });
  }

  #change(change: (blocked: readonly BlockedProgramView[]) => readonly BlockedProgramView[] | undefined): Promise<Result<undefined>> {
    const changed = this.#lastChange.then(() => {
      const list = change(this.#blocked);
      return list === undefined ? err(failure("program_unknown")) : this.#save(list);
    });
    this.#lastChange = changed;
    return changed;
  }

  async #save(list: readonly BlockedProgramView[]): Promise<Result<undefined>> {
    const saved = await this.#deps.vault.saveSecret(secretName, JSON.stringify(list));
    if (!saved.ok) return saved;
    this.#blocked = list;
    this.#changed.emit(list);
    return ok();
  }
}
