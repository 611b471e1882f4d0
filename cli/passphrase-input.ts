/**
 * Where a command gets a passphrase from: the first line of a file, or the terminal.
 *
 * Invariant: what is typed is not shown, and is kept in no history.
 */
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { isOpenToOthers } from "../clients/node/credentials-file.ts";
import { UsageError } from "./command-line.ts";

/** As the window's calls bound it. */
const maxLength = 1024;
/** Each character takes up to four bytes; one more tells a long line from a full one. */
const maxBytes = maxLength * 4 + 2;

/** Asks at the terminal. `undefined` when the person ended it. */
export type AskPassphrase = (prompt: string) => Promise<string | undefined>;

export interface PassphraseRequest {
  /** Given on the command line. */
  readonly file: string | undefined;
  /** The option that gives a file, for the message when there is no terminal. */
  readonly option: string;
  readonly prompt: string;
}

/** The passphrase from its file or from the person. Throws `UsageError` when there is none. */
export async function readPassphrase({ file, option, prompt }: PassphraseRequest, ask: AskPassphrase): Promise<string> {
  if (file !== undefined) return passphraseInFile(file);
  const typed = await ask(prompt);
  if (typed === undefined) throw new UsageError(`no passphrase was entered; it can be given by ${option} FILE`);
  return typed;
}

/** The same for one that is chosen now: typed twice. */
export async function readNewPassphrase(request: PassphraseRequest, ask: AskPassphrase): Promise<string> {
  const first = await readPassphrase(request, ask);
  if (request.file !== undefined) return first;
  const second = await readPassphrase({ ...request, prompt: "The same again: " }, ask);
  if (first !== second) throw new UsageError("the two passphrases differ");
  return first;
}

async function passphraseInFile(file: string): Promise<string> {
  const line = await firstLine(file);
  if (line === undefined) throw new UsageError(`the file ${file} cannot be read`);
  if (line === "") throw new UsageError(`the first line of ${file} is empty`);
  if (line.length > maxLength) throw new UsageError(`the first line of ${file} is longer than ${maxLength} characters`);
  if (await isOpenToOthers(file)) console.error(`Warning: ${file} can be read by other users of this computer.`);
  return line;
}

async function firstLine(file: string): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    await using opened = await open(file, "r");
    for await (const chunk of opened.createReadStream({ end: maxBytes, autoClose: false })) {
      chunks.push(Buffer.from(chunk as Buffer)); // a stream without encoding gives buffers
    }
  } catch {
    return undefined;
  }
  // Editors on Windows put a byte order mark in front.
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/, 1)[0];
}

/** Makes the function that asks at a terminal: the prompt goes to `output`, and nothing of what is typed. */
export function createTerminalPrompt(input: NodeJS.ReadStream, output: NodeJS.WritableStream): AskPassphrase {
  return async (prompt) => {
    if (!input.isTTY) return undefined;
    output.write(prompt);
    const typed = await typedLine(input);
    output.write("\n");
    return typed;
  };
}

/** Ends with Enter; Ctrl+C and Ctrl+D close without a line. */
function typedLine(input: NodeJS.ReadStream): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  return new Promise((resolve) => {
    let typed: string | undefined;
    reader.once("line", (line) => {
      typed = line;
      reader.close();
    });
    reader.once("close", () => resolve(typed));
  });
}
