/** One phrase for an error of the file system, for people and logs: never a path or a value. */

const problems: Readonly<Record<string, string>> = {
  EACCES: "access denied",
  EPERM: "access denied",
  EROFS: "read-only",
  ENOSPC: "disk full",
  EDQUOT: "disk full",
  EIO: "input/output error",
  EMFILE: "too many open files",
  ENFILE: "too many open files",
  ENOENT: "no such folder",
  ENOTDIR: "cannot be opened",
  EEXIST: "cannot be opened",
  EISDIR: "a folder has this name",
  EBUSY: "in use by another program",
};

/** The phrase for an error with a system code; `undefined` for any other error. */
export function systemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error)) return undefined;
  return ("code" in error && typeof error.code === "string" && problems[error.code]) || "system error";
}
