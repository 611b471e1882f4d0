/** The two files a person picks. Invariant: what is read stays in the main process, and is bounded. */
import { writeFile } from "node:fs/promises";
import type { BrowserWindow, Dialog } from "electron";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { readBoundedText } from "./bounded-file.ts";

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
      return path === undefined ? ok(undefined) : readBoundedText(path);
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
