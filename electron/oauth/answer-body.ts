/** Reads the body of a provider's answer. Invariant: holds at most 256 KiB of it, and nothing of it gets into a problem's text. */
import { isHtml, isJson } from "./media-type.ts";
import { transportFault } from "./transport-error.ts";

export type AnswerBody =
  | { readonly kind: "json"; readonly value: unknown }
  /** A page for a person. */
  | { readonly kind: "html"; readonly problem: string }
  | { readonly kind: "unusable"; readonly problem: string };

/** The connection ended within it. */
export interface BrokenBody {
  readonly kind: "broken";
  readonly problem: string;
}

/** Far above any token response, far below what could hurt. */
export const maxBodyBytes = 256 * 1024;

/** @param signal ends the reading */
export async function readBody(response: Response, signal: AbortSignal): Promise<AnswerBody | BrokenBody> {
  const contentType = response.headers.get("content-type");
  if (isHtml(contentType) && (await looksLikePage(response))) {
    await discard(response);
    return { kind: "html", problem: `status ${response.status}, not JSON` };
  }
  if (!isJson(contentType)) {
    await discard(response);
    return { kind: "unusable", problem: `status ${response.status}, not JSON` };
  }
  const bytes = await readLimited(response, signal);
  if (bytes.kind !== "read") return bytes;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.value));
    return { kind: "json", value };
  } catch {
    return { kind: "unusable", problem: `status ${response.status}, JSON that does not parse` };
  }
}

/** Lets the connection go without reading on. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/**
 * By its first character: servers that have nothing to say often call it `text/html`, and one that calls its tokens so must not
 * be taken for a portal.
 */
async function looksLikePage(response: Response): Promise<boolean> {
  if (response.body === null) return false;
  // Not ended by the look: `discard` does that.
  const stream: AsyncIterable<Uint8Array> = response.body.values({ preventCancel: true });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true }).trimStart();
      if (text !== "") return !/^[{[]/.test(text);
    }
  } catch {
    // It broke off before it said what it is.
  }
  return false;
}

type Bytes = { readonly kind: "read"; readonly value: Uint8Array } | BrokenBody | { readonly kind: "unusable"; readonly problem: string };

async function readLimited(response: Response, signal: AbortSignal): Promise<Bytes> {
  const tooLarge = { kind: "unusable", problem: `status ${response.status}, too large` } as const;
  if (Number(response.headers.get("content-length") ?? 0) > maxBodyBytes) {
    await discard(response);
    return tooLarge;
  }
  if (response.body === null) return { kind: "read", value: new Uint8Array() };
  const stream: AsyncIterable<Uint8Array> = response.body;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      if (signal.aborted) return { kind: "broken", problem: "stopped" };
      size += chunk.byteLength;
      // Returning ends the iteration, which cancels the stream.
      if (size > maxBodyBytes) return tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    const fault = transportFault(error);
    return { kind: "broken", problem: fault.kind === "lost" ? fault.problem : "connection lost" };
  }
  return { kind: "read", value: Buffer.concat(chunks) };
}
