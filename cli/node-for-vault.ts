/** The commands that open the vault need a newer Node.js than the others. */

/** The first with SQLite that needs no flag, and with the syntax the vault is built for. */
const leastNodeMajor = 24;

/** Whether this Node.js can open a vault; tells the person what to do if not, for example in `page` of the window. */
export function hasNodeForVault(page: string): boolean {
  if (Number.parseInt(process.versions.node, 10) >= leastNodeMajor) return true;
  console.error(`dms-connect: the commands of the vault need Node.js ${leastNodeMajor}.`);
  console.error(`What to do: Install Node.js ${leastNodeMajor} or newer, or use ${page} in the window of DMS Connect.`);
  return false;
}
