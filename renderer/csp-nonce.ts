/** Where the window learns the nonce of its Content-Security-Policy. */

/**
 * The nonce that style elements must carry, or `undefined` where the page has none.
 *
 * Read from the property, not the attribute: browsers empty the attribute once the policy came by
 * header (HTML, "nonce hiding").
 */
export function cspNonce(document: Document): string | undefined {
  const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  return meta === null || meta.nonce === "" ? undefined : meta.nonce;
}
