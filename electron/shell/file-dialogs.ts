/** The files a person picks. Invariant: what is read stays in the main process, and is bounded. */
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { BrowserWindow, Dialog, FileFilter } from "electron";
import { failure } from "../../shared/failure.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { readBoundedText, readProgramText, readTransferText } from "./bounded-file.ts";
import { writePrivateParts, writePrivateText } from "./private-file.ts";

export interface FileDialogParts {
  readonly dialog: Pick<Dialog, "showOpenDialog" | "showSaveDialog">;
  /** The window the dialog belongs to, if one is open. */
  readonly window: () => BrowserWindow | undefined;
}

export interface FileDialogs {
  /** Asks for a JSON file. Returns its text, `undefined` if the person cancelled, or `registration_file_unreadable`. */
  readonly openJsonFile: () => Promise<Result<string | undefined>>;
  /** Asks for a program file. Returns its text, `undefined` if the person cancelled, or `program_file_unreadable`. */
  readonly openProgramFile: () => Promise<Result<string | undefined>>;
  /** Asks where to put `pem` and writes it. Returns whether it was saved; `internal_error` if it could not be written. */
  readonly savePemFile: (suggestedName: string, pem: string) => Promise<Result<boolean>>;
  /** Asks for an export. Returns its text, `undefined` if the person cancelled, or `vault_transfer_unreadable`. */
  readonly openTransferFile: () => Promise<Result<string | undefined>>;
  /**
   * Asks where to put an export, then has it made, so that its tokens are not older than the answer, and writes it for
   * its owner alone. Returns whether it was saved, the failure of `makeText`, or `file_not_written`.
   */
  readonly saveTransferFile: (suggestedName: string, makeText: () => Promise<Result<string>>) => Promise<Result<boolean>>;
  /**
   * Asks where to put a long file, by the ending of its suggested name, then has it made part by part and writes it for its
   * owner alone. Returns whether it was saved, the failure of a part, or `file_not_written`.
   */
  readonly saveParts: (suggestedName: string, makeParts: () => AsyncIterable<Result<string>>) => Promise<Result<boolean>>;
}

const json: FileFilter = { name: "JSON", extensions: ["json"] };
const pemFilter: FileFilter = { name: "PEM", extensions: ["pem"] };

/** Makes the file dialogs of the app. */
export function createFileDialogs(parts: FileDialogParts): FileDialogs {
  return {
    openJsonFile: async () => {
      const path = await askForFile(parts);
      return path === undefined ? ok(undefined) : readBoundedText(path);
    },
    openProgramFile: async () => {
      const path = await askForFile(parts);
      return path === undefined ? ok(undefined) : readProgramText(path);
    },
    savePemFile: async (suggestedName, pem) => {
      const path = await askWhereToSave(parts, suggestedName, pemFilter);
      if (path === undefined) return ok(false);
      try {
        await writeFile(path, pem);
        return ok(true);
      } catch {
        return err(failure("internal_error"));
      }
    },
    openTransferFile: async () => {
      const path = await askForFile(parts);
      return path === undefined ? ok(undefined) : readTransferText(path);
    },
    saveTransferFile: async (suggestedName, makeText) => {
      const path = await askWhereToSave(parts, suggestedName, json);
      if (path === undefined) return ok(false);
      const text = await makeText();
      if (!text.ok) return text;
      const written = await writePrivateText(path, text.value);
      return written.ok ? ok(true) : written;
    },
    saveParts: async (suggestedName, makeParts) => {
      const ending = extname(suggestedName).slice(1);
      const path = await askWhereToSave(parts, suggestedName, { name: ending.toUpperCase(), extensions: [ending] });
      if (path === undefined) return ok(false);
      const written = await writePrivateParts(path, makeParts());
      return written.ok ? ok(true) : written;
    },
  };
}

async function askForFile(parts: FileDialogParts): Promise<string | undefined> {
  const options: Electron.OpenDialogOptions = { properties: ["openFile"], filters: [json] };
  const window = parts.window();
  const answer = await (window === undefined ? parts.dialog.showOpenDialog(options) : parts.dialog.showOpenDialog(window, options));
  return answer.canceled ? undefined : answer.filePaths[0];
}

async function askWhereToSave(parts: FileDialogParts, suggestedName: string, filter: FileFilter): Promise<string | undefined> {
  const options: Electron.SaveDialogOptions = { defaultPath: suggestedName, filters: [filter] };
  const window = parts.window();
  const answer = await (window === undefined ? parts.dialog.showSaveDialog(options) : parts.dialog.showSaveDialog(window, options));
  return answer.canceled ? undefined : answer.filePath;
}
