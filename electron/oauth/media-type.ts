/** What a `Content-Type` says (RFC 9110 section 8.3). Parameters don't matter here. */

/** `application/json` and everything that is written in it. */
export function isJson(contentType: string | null): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType(contentType));
}

/** A page for a person. */
export function isHtml(contentType: string | null): boolean {
  return /^(text\/html|application\/xhtml\+xml)$/.test(mediaType(contentType));
}

function mediaType(contentType: string | null): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}
