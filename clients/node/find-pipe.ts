/** Where the broker listens: as told, else `DMS_CONNECT_PIPE`, else `broker.json`, else the default name. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { defaultPipeName, defaultProfileFolder, type PipeNameSources, systemPipeNameSources } from "./default-pipe-name.ts";
import { isRecord } from "./parse-fields.ts";

export interface FoundPipe {
  readonly name: string;
  readonly source: "option" | "DMS_CONNECT_PIPE" | "broker.json" | "default name";
}

/**
 * Finds the pipe's name. Whether anybody listens there shows only when connecting.
 *
 * @param pipe a name the caller insists on
 */
export async function findPipe(pipe?: string, sources: PipeNameSources = systemPipeNameSources()): Promise<FoundPipe> {
  if (pipe !== undefined) return { name: pipe, source: "option" };
  const override = sources.env["DMS_CONNECT_PIPE"];
  if (override !== undefined && override !== "") return { name: override, source: "DMS_CONNECT_PIPE" };
  const published = await readBrokerFile(defaultProfileFolder(sources.platform, sources.env));
  if (published !== undefined) return { name: published, source: "broker.json" };
  return { name: await defaultPipeName(sources), source: "default name" };
}

async function readBrokerFile(profileFolder: string): Promise<string | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path.join(profileFolder, "broker.json"), "utf8"));
    return isRecord(content) && typeof content["name"] === "string" ? content["name"] : undefined;
  } catch {
    return undefined;
  }
}
