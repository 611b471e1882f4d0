/**
 * The stand-in's sign-in and consent page. Invariant: each approval makes a grant of its own, so that ending one connection
 * never touches another.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Interaction } from "oidc-provider";
import { consentPage, errorPage, signInPage } from "./consent-page.ts";
import { htmlAnswer, readBody, sendAnswer } from "./http-exchange.ts";
import type { ProviderUser } from "./provider-contract.ts";
import { isSigningIn, userSigningIn, wrongSignInSentence } from "./sign-in.ts";
import { type MountedWebfleet, vehiclesPath, type WebfleetContext, webfleetBrand } from "./webfleet-context.ts";

/** Lets a demo choose who is signed in. */
const signInAsParameter = "sign_in_as";

/** Answers GET and POST on the interaction page. */
export async function answerInteraction(mounted: MountedWebfleet, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const interaction = await findInteraction(mounted, request, response);
  if (interaction === undefined) {
    sendAnswer(response, htmlAnswer(400, errorPage(webfleetBrand, "This sign-in page has expired.")));
    return;
  }
  const { context } = mounted;
  const url = new URL(request.url ?? "/", context.origin);
  if (request.method === "POST") {
    const form = new URLSearchParams(await readBody(request));
    if (isSigningIn(form)) sendAnswer(response, htmlAnswer(200, answerSignIn(context, interaction, url, form)));
    else await decide(mounted, interaction, form, { request, response });
    return;
  }
  const chosen = url.searchParams.get(signInAsParameter);
  const page = context.behaviour.signInPage && chosen === null ? askWhoItIs(url) : askForConsent(context, interaction, url, chosen);
  sendAnswer(response, htmlAnswer(200, page));
}

function askWhoItIs({ pathname }: URL, problem?: string): string {
  return signInPage({ ...webfleetBrand, action: pathname, hiddenFields: {}, ...(problem === undefined ? {} : { problem }) });
}

function answerSignIn(context: WebfleetContext, interaction: Interaction, url: URL, form: URLSearchParams): string {
  const user = userSigningIn(context.users, form);
  return user === undefined ? askWhoItIs(url, wrongSignInSentence) : askForConsent(context, interaction, url, user.id);
}

async function findInteraction(
  mounted: MountedWebfleet,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Interaction | undefined> {
  try {
    return await mounted.provider.interactionDetails(request, response);
  } catch {
    return undefined;
  }
}

function askForConsent(context: WebfleetContext, interaction: Interaction, url: URL, userId: string | null): string {
  const user = signedInUser(context, userId);
  const client = context.clients.find((candidate) => candidate.clientId === interaction.params["client_id"]);
  const application = client?.applicationName ?? "unknown";
  const scope = requestedScope(interaction);
  return consentPage({
    ...webfleetBrand,
    question: `${user.name}, do you want to grant ${application} access to your Webfleet data?`,
    userId: user.id,
    details: scope === "" ? [] : scope.split(" ").map(describeScope),
    action: url.pathname,
    hiddenFields: { [signInAsParameter]: user.id },
    otherUsers: context.users
      .filter((other) => other !== user)
      .map((other) => ({ name: other.name, href: `${url.pathname}?${new URLSearchParams({ [signInAsParameter]: other.id }).toString()}` })),
  });
}

async function decide(
  mounted: MountedWebfleet,
  interaction: Interaction,
  form: URLSearchParams,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const { context, provider } = mounted;
  if (form.get("decision") !== "approve") {
    context.counters.refusals += 1;
    const refusal = { error: "access_denied", error_description: "The user refused." };
    await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
    return;
  }
  context.counters.approvals += 1;
  const accountId = signedInUser(context, form.get(signInAsParameter)).id;
  const grant = new provider.Grant({ accountId, clientId: String(interaction.params["client_id"]) });
  // A request without any scope still needs something granted: Webfleet's default scopes.
  const scope = requestedScope(interaction) || "webfleet";
  grant.addOIDCScope(scope);
  grant.addResourceScope(context.origin + vehiclesPath, scope);
  const result = { login: { accountId, remember: false }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

function signedInUser(context: WebfleetContext, chosen: string | null): ProviderUser {
  const id = chosen ?? context.behaviour.signedInUserId;
  return context.users.find((user) => user.id === id) ?? context.users[0];
}

function requestedScope(interaction: Interaction): string {
  const scope = interaction.params["scope"];
  return typeof scope === "string" ? scope : "";
}

function describeScope(scope: string): string {
  return scope === "offline_access" ? "Stay connected while you are away (offline_access)" : scope;
}
