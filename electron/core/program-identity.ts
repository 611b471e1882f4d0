/** Which requests to be paired come from the same program. Only for asking less often and for blocking: never a proof of anything. */

export interface ProgramIdentity {
  readonly name: string;
  /** The file of its process, where the system tells it. */
  readonly programPath?: string;
}

/** One text for all requests of a program: its file where that is known, else its name, however it is written. */
export function identityKey({ name, programPath }: ProgramIdentity): string {
  return programPath === undefined ? `name ${comparableName(name)}` : `file ${programPath}`;
}

/** Whether both are the same program: by their files where both are known, else by their names. */
export function isSameProgram(one: ProgramIdentity, other: ProgramIdentity): boolean {
  if (one.programPath !== undefined && other.programPath !== undefined) return one.programPath === other.programPath;
  return comparableName(one.name) === comparableName(other.name);
}

function comparableName(name: string): string {
  return name.normalize("NFKC").replaceAll(/\s+/gu, " ").trim().toLowerCase();
}
