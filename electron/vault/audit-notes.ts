/**
 * Notes that the command line leaves for the audit log while the app holds the vault: a log that was read must say so.
 *
 * Invariants: a note can only say that the log was checked or exported by the command line, and when; it is deleted once the
 * log has it. Whoever can write to the profile can leave one or take one away, as they could run the command line itself.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AuditEntry } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { parseJson } from "./stored-json.ts";

const noteSchema = z.strictObject({
  atMs: z.int().nonnegative(),
  action: z.enum(["audit.verify", "audit.export"]),
  outcome: z.string().regex(/^[a-z_]{1,64}$/),
});
export type AuditNote = Readonly<z.infer<typeof noteSchema>>;

const namePattern = /^audit-note\.[0-9a-f-]{36}\.json$/;
const maxBytes = 1_024;
/** Taken at a time: nobody runs more commands than that between two looks at the log. */
const maxNotes = 100;

/** Throws the system's error. */
export function leaveAuditNote(folder: string, note: AuditNote): void {
  writeFileAtomically(join(folder, `audit-note.${randomUUID()}.json`), `${JSON.stringify(note)}\n`);
}

/** Has `append` store the notes that lie in the folder, oldest first, and deletes them once it has. Throws what `append` throws. */
export function takeAuditNotes(folder: string, append: (entries: readonly AuditEntry[]) => void): void {
  const names = readdirSync(folder).filter((name) => namePattern.test(name));
  const found = names.slice(0, maxNotes).flatMap((name) => readNote(join(folder, name)));
  const notes = found.flatMap(({ note }) => (note === undefined ? [] : [note])).sort((a, b) => a.atMs - b.atMs);
  append(notes.map((note) => ({ ...note, actor: "command-line" })));
  for (const { path } of found) rmSync(path, { force: true });
}

/** Without `note` if nothing of ours wrote it. One that the disk does not give now stays for later. */
function readNote(path: string): readonly { readonly path: string; readonly note: AuditNote | undefined }[] {
  try {
    const text = statSync(path).size > maxBytes ? "" : readFileSync(path, "utf8");
    return [{ path, note: noteSchema.safeParse(parseJson(text)).data }];
  } catch {
    return [];
  }
}
