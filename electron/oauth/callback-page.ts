/**
 * The pages a browser sees at the callback address. Invariant: every value is escaped, nothing is
 * loaded from anywhere, and no page can be cached, framed or run a script.
 */
import { createHash } from "node:crypto";
import type { Failure } from "../../shared/failure.ts";
import type { CallbackPageOutcome } from "../core/ports.ts";

const style = `
:root { color-scheme: light dark; --page: #f5f5f5; --card: #fff; --text: #242424; --quiet: #5c5c5c; --line: #e0e0e0; --good: #0e700e; --bad: #b10e1c; }
@media (prefers-color-scheme: dark) {
  :root { --page: #1a1a1a; --card: #292929; --text: #fff; --quiet: #c2c2c2; --line: #424242; --good: #6ccb6c; --bad: #f1919b; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--page); color: var(--text);
  font: 16px/1.5 "Segoe UI", system-ui, -apple-system, "Liberation Sans", sans-serif; }
main { width: 100%; max-width: 520px; padding: 40px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
svg { display: block; width: 48px; height: 48px; margin-bottom: 20px; fill: none; stroke-width: 3; stroke-linecap: round; stroke-linejoin: round; }
.good { stroke: var(--good); } .bad { stroke: var(--bad); }
h1 { margin: 0 0 12px; font-size: 24px; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere; text-wrap: balance; }
p { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 32px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--quiet); font-size: 14px; }
@media (max-width: 480px) { body { padding: 12px; place-items: start center; } main { padding: 28px 20px; } }
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** Headers of every answer, pages or not. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  Connection: "close",
};

const tick = `<svg class="good" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="21"/><path d="m15 25 6 6 12-13"/></svg>`;
const mark = `<svg class="bad" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="21"/><path d="M24 14v13M24 34v.1"/></svg>`;

/** The final page of a sign-in. */
export function outcomePage(outcome: CallbackPageOutcome): string {
  if (outcome.kind === "failed") return failurePage(outcome.failure);
  return page(tick, `${outcome.user} is now connected to ${outcome.providerName}.`, "You can close this page and go back to your DMS.");
}

/** What happened and what to do next. */
export function failurePage(failure: Failure): string {
  return page(mark, failure.message, failure.remedy);
}

function page(icon: string, heading: string, text: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(heading)} – DMS Connect</title>
<style>${style}</style>
</head>
<body>
<main>
${icon}
<h1>${escapeHtml(heading)}</h1>
<p>${escapeHtml(text)}</p>
<footer>DMS Connect on this computer</footer>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
