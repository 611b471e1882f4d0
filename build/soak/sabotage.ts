/** Deliberate faults of the app, which the soak has to notice. Invariant: without any, `fetch` is the one that was given. */
import { setTimeout as delay } from "node:timers/promises";
import type { Sabotage } from "./child-contract.ts";

type Fetch = typeof fetch;

const times = 10;
/** Long enough for the first answer to be used. */
const sendAgainMs = 1_500;

/** @returns a `fetch` for `compose` that has these faults */
export function sabotagedFetch(kinds: readonly Sabotage[], honest: Fetch): Fetch {
  let faulty = honest;
  if (kinds.includes("swap-users")) faulty = swapsUsers(faulty);
  if (kinds.includes("stretch-lives")) faulty = stretchesLives(faulty);
  if (kinds.includes("send-twice")) faulty = sendsTwice(faulty);
  if (kinds.includes("hold-back")) faulty = holdsBack(faulty);
  return faulty;
}

/** Does what no `fetch` can bring about. */
export function misbehave(kinds: readonly Sabotage[]): void {
  if (kinds.includes("reject")) void Promise.reject(new Error("sabotage"));
}

function swapsUsers(honest: Fetch): Fetch {
  let previous: unknown;
  return amended(honest, (tokens) => {
    const mine = tokens["access_token"];
    const given = previous ?? mine;
    previous = mine;
    return { ...tokens, access_token: given };
  });
}

function stretchesLives(honest: Fetch): Fetch {
  return amended(honest, (tokens) => {
    const expiresIn = Number(tokens["expires_in"]);
    const seconds = expiresIn > 1e12 ? (expiresIn - Date.now()) / 1000 : expiresIn > 1e9 ? expiresIn - Date.now() / 1000 : expiresIn;
    return { ...tokens, expires_in: Math.round(seconds * times) };
  });
}

function sendsTwice(honest: Fetch): Fetch {
  return async (input, init) => {
    const answer = await honest(input, init);
    const { signal: _over, ...again } = init ?? {};
    // Whatever comes of it: the app never asks.
    if (isRefresh(init)) void delay(sendAgainMs).then(() => honest(input, again).then((response) => response.text(), String));
    return answer;
  };
}

function holdsBack(honest: Fetch): Fetch {
  return (input, init) => {
    const isHeldBack = isRefresh(init) && new URL(input instanceof Request ? input.url : input).pathname.includes("/realms/");
    return isHeldBack ? Promise.resolve(new Response("", { status: 503 })) : honest(input, init);
  };
}

function amended(honest: Fetch, amend: (tokens: Readonly<Record<string, unknown>>) => unknown): Fetch {
  return async (input, init) => {
    const answer = await honest(input, init);
    if (answer.status !== 200 || !isRefresh(init)) return answer;
    const tokens = (await answer.json()) as Readonly<Record<string, unknown>>; // the stand-ins' own answer
    return Response.json(amend(tokens));
  };
}

function isRefresh(init: RequestInit | undefined): boolean {
  return typeof init?.body === "string" && new URLSearchParams(init.body).get("grant_type") === "refresh_token";
}
