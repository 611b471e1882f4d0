/** The broker's `fetch` with steps where requests to the provider leave and where the last byte of an answer arrives. */
import { step } from "./child-steps.ts";
import type { ChildStep } from "./steps.ts";

interface RequestSteps {
  readonly leaving: ChildStep;
  readonly received?: ChildStep;
}

/** A `fetch` for `compose`. */
export const steppedFetch: typeof fetch = async (input, init) => {
  const steps = stepsOf(init?.body);
  step(steps.leaving);
  const response = await fetch(input, init);
  const { received } = steps;
  if (received === undefined || response.body === null) return response;
  const body = response.body.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>>({ flush: () => step(received) }));
  return new Response(body, response);
};

function stepsOf(body: unknown): RequestSteps {
  const grantType = typeof body === "string" ? new URLSearchParams(body).get("grant_type") : null;
  if (grantType === "refresh_token") return { leaving: "request-leaving", received: "answer-received" };
  if (grantType === "authorization_code") return { leaving: "code-leaving" };
  return { leaving: "revocation-leaving", received: "revocation-answered" };
}
