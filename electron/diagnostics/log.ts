/**
 * The log: JSON lines in a local file (pino).
 *
 * Invariant: every text that reaches the file went through `scrubText`, and a field whose name says it is secret is never
 * written. Writing is synchronous, so that the last line before a crash is there; nothing on the token path logs.
 */
import { join } from "node:path";
import pino from "pino";
import type { Log } from "../core/ports.ts";
import { isSecretField, scrubError, scrubText } from "./redaction.ts";
import { openRotatingFile } from "./rotating-file.ts";

export type LogLevel = "info" | "warn" | "error";

export interface OpenedLog extends Log {
  readonly path: string;
  readonly close: () => void;
}

const maxBytes = 1_000_000;
const files = 3;

/** Opens `dms-connect.log` in `folder`. Never throws: without a usable disk, lines are lost. */
export function createLog({ folder, level = "info" }: { readonly folder: string; readonly level?: LogLevel }): OpenedLog {
  const path = join(folder, "dms-connect.log");
  const file = openRotatingFile({ path, maxBytes, files });
  const logger = pino(
    {
      level,
      base: { processId: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
    },
    file,
  );
  return {
    path,
    info: (event, fields) => logger.info(scrubFields(fields), scrubText(event)),
    warn: (event, fields) => logger.warn(scrubFields(fields), scrubText(event)),
    error: (event, error) => logger.error({ error: scrubError(error) }, scrubText(event)),
    close: file.close,
  };
}

type Fields = NonNullable<Parameters<Log["info"]>[1]>;

function scrubFields(fields: Fields = {}): { readonly fields?: Fields } {
  const entries = Object.entries(fields).map(([name, value]) => [scrubText(name), scrubField(name, value)] as const);
  // Under a name of their own: a field called `level` or `time` must not stand for pino's.
  return entries.length === 0 ? {} : { fields: Object.fromEntries(entries) };
}

function scrubField(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value !== "string") return value;
  return isSecretField(name) ? "[redacted]" : scrubText(value);
}
