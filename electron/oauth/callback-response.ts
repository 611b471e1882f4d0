/** Writes answers to the browser. Invariant: each carries the protective headers and ends its connection. */
import type { ServerResponse } from "node:http";
import { pageHeaders } from "./callback-page.ts";

/** Answers with a page and nothing after it. */
export function sendPage(response: ServerResponse, status: number, html: string, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...pageHeaders, ...headers }).end(html);
}

/** Sends the browser on to `location` with GET (RFC 9110 section 15.4.4). */
export function sendSeeOther(response: ServerResponse, location: string): void {
  sendPage(response, 303, "", { Location: location });
}
