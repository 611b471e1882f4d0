/**
 * Reads a command's arguments.
 *
 * Invariant: nothing is guessed. An unknown option, a missing value or a superfluous word is bad usage.
 */
import { homedir } from "node:os";
import path from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The arguments are wrong; the message says how. */
export class UsageError extends Error {}

/** Options every command has. */
export const commonOptions = {
  credentials: { type: "string" },
  pipe: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

/** `parseArgs`, strict, with its complaints as `UsageError`. */
export function readArguments<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options: { ...commonOptions, ...options }, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "bad arguments");
  }
}

/** Checks that exactly the `names` were given as words, and returns them. */
export function readWords<const N extends readonly string[]>(words: readonly string[], names: N): { readonly [I in keyof N]: string } {
  const missing = names[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  if (words.length > names.length) throw new UsageError(`unexpected argument: ${words[names.length]}`);
  // As many words as names, which the type cannot follow.
  return words as { readonly [I in keyof N]: string };
}

/** Where the command line keeps its own credentials. */
export function credentialsFile(chosen: string | undefined): string {
  if (chosen !== undefined) return path.resolve(chosen);
  return path.join(configFolder(), "dms-connect-cli", "credentials.json");
}

function configFolder(): string {
  const { LOCALAPPDATA, XDG_CONFIG_HOME } = process.env;
  if (process.platform === "win32") return LOCALAPPDATA ?? path.join(homedir(), "AppData", "Local");
  return XDG_CONFIG_HOME !== undefined && path.isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : path.join(homedir(), ".config");
}
