/**
 * A program that is set up without a question, by a program file as an administrator would (docs/provisioning.md).
 * Invariant: its key lies only in the workplace, in files that only this user can read.
 */
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCredentials } from "../../clients/node/credentials-file.ts";
import { selector, withSession } from "../../e2e/support/program-session.ts";
import { mazdaUser, webfleetUser } from "../../e2e/support/test-dealer.ts";
import type { Workplace } from "../../e2e/support/workplace.ts";
import type { ProgramEntry } from "../../electron/settings/program-file.ts";
import { ensure } from "./narrator.ts";

/** Writes program file and credentials; what the app has to be started with, to import the file. */
export async function writeDemoProgram(workplace: Workplace): Promise<readonly string[]> {
  const clientKey = randomBytes(32).toString("base64url");
  const program: ProgramEntry = { clientId: "demo-program", clientKey, name: "Demo program", users: "all", providers: "all" };
  await writeFile(programFile(workplace), JSON.stringify({ version: 1, programs: [program] }), { mode: 0o600 });
  await writeCredentials(workplace.credentialsFile, program);
  return [`--import-programs=${programFile(workplace)}`];
}

/**
 * Asks for both users' tokens with the credentials, and deletes the program file.
 *
 * @throws when the program does not get them
 */
export async function checkDemoProgram(workplace: Workplace): Promise<void> {
  await withSession(workplace, async (session) => {
    for (const user of [mazdaUser, webfleetUser]) {
      const token = await session.tokenGet(selector(user));
      ensure(token.ok, `the program gets no token for ${user.providerName}`);
    }
  });
  await rm(programFile(workplace));
}

function programFile({ folder }: Workplace): string {
  return join(folder, "programs.json");
}
