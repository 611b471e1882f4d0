/** An audit log for tests, and what another program does to one. */
import type { AuditEntry } from "../../core/ports.ts";
import { nowMs, Profile, valueOf } from "./profile.ts";

/** A row of its own for each number. */
export function entry(number: number): AuditEntry {
  return {
    atMs: nowMs + number,
    action: "token.get",
    actor: "client-1",
    actorName: "DMS",
    provider: "mazda",
    environment: "production",
    user: `user-${number}`,
    outcome: "ok",
  };
}

/** A closed vault whose log has these rows. */
export async function filled(rows: number): Promise<Profile> {
  const profile = new Profile();
  const opened = await profile.open();
  const appended = Array.from({ length: rows }, (_, index) => opened.vault.appendAudit(entry(index + 1)));
  opened.close();
  for (const result of await Promise.all(appended)) valueOf(result);
  return profile;
}

/** What another program does: it drops the triggers first. */
export function tamper(profile: Profile, sql: string): void {
  profile.edit((database) => {
    const triggers = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${String(name)}`);
    database.exec(sql);
    // Whoever changes the log puts its triggers back: a missing one would be noticed by itself.
    for (const trigger of triggers) database.exec(String(trigger["sql"]));
  });
}
