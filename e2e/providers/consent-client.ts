/**
 * Plays the person at a stand-in provider's consent page, without a browser. Invariant: it never calls the redirect URI; the
 * caller decides what to do with it.
 */
import { type LoopbackResponse, requestLoopback } from "./loopback-request.ts";

export interface ConsentOptions {
  readonly decision: "approve" | "refuse";
  /** The provider's certificate, with https. */
  readonly certificatePem?: string | undefined;
  /** Signs in as this user instead of the one the provider suggests; needed where the provider asks who it is. */
  readonly userId?: string;
  readonly password?: string;
}

/** More than any way through a provider takes. */
const maxSteps = 10;

/**
 * Opens an authorization URL, answers the sign-in page if there is one and the consent page, and follows the provider's own redirects.
 *
 * @param authorizeUrl as the product opens it in the browser
 * @returns the callback URL, with `code` or `error`
 * @throws when the provider shows an error page or never leaves its origin
 */
export async function answerConsent(authorizeUrl: string | URL, options: ConsentOptions): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(authorizeUrl);
  const { origin } = url;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < maxSteps; step += 1) {
    const response = await requestLoopback(url, {
      certificatePem: options.certificatePem,
      headers: { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { form }),
    });
    keepCookies(cookies, response);
    const location = response.headers.location;
    if (location !== undefined) {
      url = new URL(location, url);
      if (url.origin !== origin) return url;
      form = undefined;
    } else {
      const isLate = form?.has("decision") === true || (form !== undefined && asksWhoItIs(response.text));
      if (response.status !== 200 || isLate) throw new Error(`the provider answered ${response.status} instead of redirecting`);
      form = filledForm(response.text, options);
      url = new URL(attribute(response.text, /<form[^>]* action="([^"]*)"/), url);
    }
  }
  throw new Error("the provider redirected too often");
}

function keepCookies(cookies: Map<string, string>, response: LoopbackResponse): void {
  for (const cookie of response.headers["set-cookie"] ?? []) {
    const [pair = ""] = cookie.split(";");
    const equals = pair.indexOf("=");
    cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
}

function filledForm(page: string, options: ConsentOptions): URLSearchParams {
  const form = new URLSearchParams();
  for (const [, name = "", value = ""] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) {
    form.set(unescapeHtml(name), unescapeHtml(value));
  }
  if (asksWhoItIs(page)) {
    form.set("username", options.userId ?? "");
    form.set("password", options.password ?? "any");
    return form;
  }
  if (options.userId !== undefined) form.set("sign_in_as", options.userId);
  form.set("decision", options.decision);
  return form;
}

function asksWhoItIs(page: string): boolean {
  return page.includes('name="username"');
}

function attribute(page: string, pattern: RegExp): string {
  const value = pattern.exec(page)?.[1];
  if (value === undefined) throw new Error("the provider's page has no consent form");
  return unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  const characters: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => characters[entity] ?? entity);
}
