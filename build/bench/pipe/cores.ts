/**
 * A core for the servers and another for the clients. Left alone, the kernel of a small computer changes every few seconds
 * between two placements of client and server whose round trips differ threefold, which says nothing about either.
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

export type Side = "servers" | "clients";

const cores: Readonly<Record<Side, string>> = { servers: "0", clients: "1" };

/**
 * Keeps a process, with all its threads, on the core of its side (`taskset` of util-linux).
 *
 * @returns whether that was possible here
 */
export function keepOnCore(side: Side, processId: number | undefined): boolean {
  if (processId === undefined || process.platform !== "linux" || cpus().length < 2) return false;
  try {
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores[side], String(processId)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
