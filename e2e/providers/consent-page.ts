/** The pages a person sees at the stand-in providers. Invariant: every value is escaped, and no page runs script. */

export interface ConsentPage {
  /** Shown in the heading bar, such as `Mazda`. */
  readonly brand: string;
  readonly colour: string;
  readonly question: string;
  readonly userId: string;
  /** Lines under the question, such as the scopes asked for. */
  readonly details: readonly string[];
  /** Where the form is posted. */
  readonly action: string;
  /** Sent back unchanged with the decision. */
  readonly hiddenFields: Readonly<Record<string, string>>;
  /** Other people who could sign in instead. */
  readonly otherUsers: readonly { readonly name: string; readonly href: string }[];
}

/** The sign-in and consent page: two buttons that post `decision=approve` or `decision=refuse`. */
export function consentPage(page: ConsentPage): string {
  const hidden = Object.entries(page.hiddenFields).map(([name, value]) => hiddenField(name, value));
  const others = page.otherUsers.map((user) => `<li><a href="${escapeHtml(user.href)}">Sign in as ${escapeHtml(user.name)}</a></li>`);
  return document(
    page,
    "Grant access",
    `<h1>Grant access</h1>
<p class="user">Signed in as <strong>${escapeHtml(page.userId)}</strong></p>
<p class="question">${escapeHtml(page.question)}</p>
${list(page.details.map((detail) => `<li>${escapeHtml(detail)}</li>`))}
<form method="post" action="${escapeHtml(page.action)}">
${hidden.join("\n")}
<button class="primary" name="decision" value="approve">Approve</button>
<button name="decision" value="refuse">Refuse</button>
</form>
${list(others)}`,
  );
}

export interface SignInPage {
  readonly brand: string;
  readonly colour: string;
  /** Where the form is posted. */
  readonly action: string;
  /** Sent back unchanged with user name and password. */
  readonly hiddenFields: Readonly<Record<string, string>>;
  /** Why the page is shown again. */
  readonly problem?: string;
}

/** Posts `username` and `password`. Ids and texts are those of Keycloak's sign-in page, so that one script can fill in both. */
export function signInPage(page: SignInPage): string {
  const problem = page.problem === undefined ? "" : `<p id="input-error" role="alert">${escapeHtml(page.problem)}</p>`;
  return document(
    page,
    "Sign in",
    `<h1>Sign in to your account</h1>
${problem}
<form id="kc-form-login" method="post" action="${escapeHtml(page.action)}">
${Object.entries(page.hiddenFields)
  .map(([name, value]) => hiddenField(name, value))
  .join("\n")}
<label for="username">Username</label><input id="username" name="username" autocomplete="off" required>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="off" required>
<button class="primary" id="kc-login">Sign In</button>
</form>`,
  );
}

export interface GrantRow {
  readonly id: string;
  readonly userId: string;
  readonly applicationName: string;
  readonly since: Date;
}

/** The provider's own security screen: every live grant, each with a Revoke button. */
export function grantsPage(brand: { readonly brand: string; readonly colour: string }, action: string, rows: readonly GrantRow[]): string {
  const cells = rows.map(
    (
      row,
    ) => `<tr><td>${escapeHtml(row.userId)}</td><td>${escapeHtml(row.applicationName)}</td><td>${row.since.toISOString().slice(0, 16).replace("T", " ")} UTC</td>
<td><form method="post" action="${escapeHtml(action)}">${hiddenField("grant", row.id)}<button>Revoke</button></form></td></tr>`,
  );
  const table = `<table><thead><tr><th>User</th><th>Application</th><th>Since</th><th></th></tr></thead><tbody>${cells.join("\n")}</tbody></table>`;
  return document(brand, "Access tokens", `<h1>Access tokens</h1>${rows.length === 0 ? "<p>No application has access.</p>" : table}`);
}

/** A page for a request that cannot be sent back to the client (RFC 6749 section 4.1.2.1). */
export function errorPage(brand: { readonly brand: string; readonly colour: string }, problem: string): string {
  return document(brand, "Request refused", `<h1>Request refused</h1><p>${escapeHtml(problem)}</p>`);
}

/** Escapes text for HTML content and quoted attributes. */
function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

function hiddenField(name: string, value: string): string {
  return `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "" : `<ul>${items.join("")}</ul>`;
}

function document(brand: { readonly brand: string; readonly colour: string }, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} – ${escapeHtml(brand.brand)}</title>
<style>
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,"Segoe UI",Roboto,"Liberation Sans",sans-serif;background:#eef0f3;color:#1d2129}
header{background:${brand.colour};color:#fff;padding:14px 24px;font-weight:600}
header small{font-weight:400;margin-left:12px}
main{max-width:680px;margin:48px auto;background:#fff;border-radius:10px;padding:28px 32px;box-shadow:0 2px 14px #0002}
h1{font-size:22px;margin:0 0 8px}
.user{color:#4b5563;margin:0 0 20px}
.question{font-size:18px}
button{font:inherit;padding:9px 22px;margin:8px 8px 0 0;border-radius:6px;border:1px solid #6b7280;background:#fff;color:#1d2129;cursor:pointer}
button.primary{background:${brand.colour};border-color:${brand.colour};color:#fff}
button:focus-visible,a:focus-visible{outline:3px solid #f5a623;outline-offset:2px}
a{color:#0b4a8f}
label,input{display:block;font:inherit;margin:6px 0}
[role=alert]{color:#b00020}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:6px}
</style></head>
<body><header>${escapeHtml(brand.brand)}<small>Stand-in for tests and demos</small></header><main>
${body}
</main></body></html>`;
}
