/** The two files a person picks. Invariant: what is read stays in the main process, and is bounded. */
import { open, writeFile } from "node:fs/promises";
import type { BrowserWindow, Dialog } from "electron";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";

/** A registration file takes a few kilobytes. */
const maxFileBytes = 1024 * 1024;

export interface FileDialogParts {
  readonly dialog: Pick<Dialog, "showOpenDialog" | "showSaveDialog">;
  /** The window the dialog belongs to, if one is open. */
  readonly window: () => BrowserWindow | undefined;
}

export interface FileDialogs {
  /** Asks for a JSON file. Returns its text, `undefined` if the person cancelled, or `registration_file_unreadable`. */
  readonly openJsonFile: () => Promise<Result<string | undefined>>;
  /** Asks where to put `pem` and writes it. Returns whether it was saved; `internal_error` if it could not be written. */
  readonly savePemFile: (suggestedName: string, pem: string) => Promise<Result<boolean>>;
}

/** Makes the file dialogs of the app. */
export function createFileDialogs(parts: FileDialogParts): FileDialogs {
  return {
    openJsonFile: async () => {
      const path = await askForFile(parts);
      return path === undefined ? ok(undefined) : readBounded(path);
    },
    savePemFile: async (suggestedName, pem) => {
      const path = await askWhereToSave(parts, suggestedName);
      if (path === undefined) return ok(false);
      try {
        await writeFile(path, pem);
        return ok(true);
      } catch {
        return err(failure("internal_error"));
      }
    },
  };
}

async function askForFile(parts: FileDialogParts): Promise<string | undefined> {
  const options: Electron.OpenDialogOptions = { properties: ["openFile"], filters: [{ name: "JSON", extensions: ["json"] }] };
  const window = parts.window();
  const answer = await (window === undefined ? parts.dialog.showOpenDialog(options) : parts.dialog.showOpenDialog(window, options));
  return answer.canceled ? undefined : answer.filePaths[0];
}

async function askWhereToSave(parts: FileDialogParts, suggestedName: string): Promise<string | undefined> {
  const options: Electron.SaveDialogOptions = { defaultPath: suggestedName, filters: [{ name: "PEM", extensions: ["pem"] }] };
  const window = parts.window();
  const answer = await (window === undefined ? parts.dialog.showSaveDialog(options) : parts.dialog.showSaveDialog(window, options));
  return answer.canceled ? undefined : answer.filePath;
}

async function readBounded(path: string): Promise<Result<string>> {
  try {
    await using file = await open(path, "r");
    // One byte more than allowed tells a full file from one that is too long, whatever its stated size.
    const buffer = Buffer.alloc(maxFileBytes + 1);
    const bytes = await fill(file, buffer);
    if (bytes > maxFileBytes) return unreadable("it is larger than 1 MiB");
    return ok(buffer.toString("utf8", 0, bytes));
  } catch {
    return unreadable("it could not be opened");
  }
}

async function fill(file: Awaited<ReturnType<typeof open>>, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function unreadable(problem: string): Result<string> {
  return err(failure("registration_file_unreadable", { problem }));
}
