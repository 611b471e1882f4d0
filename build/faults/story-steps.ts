/**
 * The story, step by step: set up, pair, connect, refresh, restart, refresh again, revoke. Invariant: a step can be tried
 * again until it is done, in the way a person or a program would; trying it never counts on an earlier step.
 */
import { requestLoopback } from "../../e2e/providers/loopback-request.ts";
import type { WindowBroker } from "../../electron/ipc/handlers.ts";
import type { Result } from "../../shared/result.ts";
import { type ConnectionView, standardSettings } from "../../shared/views.ts";
import { type Answer, answerTo, type ToldFailure } from "./answer.ts";
import { key, registration, type Story } from "./story.ts";

export interface StepOutcome {
  readonly answers: readonly Answer[];
  /** Whether the story can go on to the next step. */
  readonly done: boolean;
}

export interface Step {
  readonly name: string;
  readonly run: (story: Story) => Promise<StepOutcome>;
  /** The app is closed in it: a fault must have ended before, or nothing is promised for what waits in memory. */
  readonly closes?: true;
  /** The app may have been started in it: what it tells of the vault is looked at. */
  readonly starts?: true;
}

export const steps: readonly Step[] = [
  { name: "start", run: start, starts: true },
  { name: "register", run: register },
  { name: "pair", run: pair },
  { name: "connect", run: connect },
  { name: "first token", run: (story) => getToken(story) },
  { name: "rotate", run: rotate },
  { name: "settings", run: saveSettings },
  { name: "restart", run: start, closes: true, starts: true },
  { name: "token after restart", run: (story) => getToken(story) },
  { name: "rotate after restart", run: rotate },
  { name: "revoke", run: revoke },
  { name: "refused", run: beRefused },
  { name: "close", run: close, closes: true },
];

async function start(story: Story): Promise<StepOutcome> {
  const broker = await story.open();
  const { vault, pipe } = story.app.application.status();
  const answers = [answerTo("start", broker)];
  if (vault.state === "locked") answers.push(answerTo("status.vault", failed(vault.failure)));
  if (pipe.state === "closed") answers.push(answerTo("status.pipe", failed(pipe.failure)));
  if (broker.ok !== (vault.state === "open")) story.broken.push("the status says something else than the broker");
  return { answers, done: broker.ok && pipe.state === "listening" };
}

async function register(story: Story): Promise<StepOutcome> {
  const { acknowledged } = story;
  const saved = await withBroker(story, ({ registrations }) => registrations.save([registration]));
  acknowledged.registration ||= saved.ok;
  return one("registrations.save", saved);
}

/** The person approves at once. If that fails, the program goes away and asks anew another time. */
async function pair(story: Story): Promise<StepOutcome> {
  if (story.acknowledged.credentials !== undefined) return { answers: [], done: true };
  const session = await story.session();
  if (!session.ok) return one("pipe", session);
  const answers: Answer[] = [];
  const approve = async () => {
    const approved = await withBroker(story, ({ pairings }) => {
      const [pairing] = pairings.list();
      return pairings.approve(pairing?.pairingId ?? "", { users: "all", providers: "all" });
    });
    answers.push(answerTo("pairing.approve", approved));
    if (!approved.ok) session.value.close();
  };
  const paired = await session.value.pair({ name: "Story DMS", onCode: () => void approve() });
  session.value.close();
  // The program hung up itself when the approval failed.
  if (paired.ok || answers.every(({ failure }) => failure === undefined)) answers.push(answerTo("pairing.wait", paired));
  if (paired.ok) story.acknowledged.credentials = paired.value;
  return { answers, done: paired.ok };
}

async function connect(story: Story): Promise<StepOutcome> {
  const broker = story.broker();
  if (!broker.ok) return one("connect.start", broker);
  const { connections, connectFlow } = broker.value;
  const settled = Promise.withResolvers<ConnectionView>();
  const started = await connectFlow.start(key, undefined);
  if (!started.ok) return one("connect.start", started);
  const stopListening = connections.onChanged((view) => view.state !== "Connecting" && settled.resolve(view));
  const redirect = await requestLoopback(story.app.openedUrls.at(-1) ?? "");
  await requestLoopback(redirect.headers.location ?? "");
  const view = await settled.promise;
  stopListening();
  const done = view.state === "Active";
  if (!done && view.failure === undefined) story.broken.push(`a sign-in ended as ${view.state} without a reason`);
  story.acknowledged.connected ||= done;
  return { answers: [{ call: "connect", failure: done ? undefined : view.failure }], done };
}

/** Done with the newest token the provider has issued; any older one has been replaced. */
async function getToken(story: Story): Promise<StepOutcome> {
  const session = await story.session();
  if (!session.ok) return one("pipe", session);
  return served(story, "token.get", await session.value.tokenGet(key));
}

/** The provider's API refuses the token: the broker has to get another. */
async function rotate(story: Story): Promise<StepOutcome> {
  const session = await story.session();
  if (!session.ok) return one("pipe", session);
  const before = story.provider.newestAccessToken();
  const outcome = served(story, "token.rejected", await session.value.tokenRejected({ ...key, tokenId: story.tokenId ?? "none" }));
  return { ...outcome, done: outcome.done && story.provider.newestAccessToken() !== before };
}

type TokenAnswer = Result<{ readonly accessToken: string; readonly tokenId: string }, ToldFailure>;

function served(story: Story, call: string, token: TokenAnswer): StepOutcome {
  if (!token.ok) return one(call, token);
  if (story.acknowledged.revoked) story.broken.push(`${call} served a token after the acknowledged revocation`);
  story.tokenId = token.value.tokenId;
  return { answers: [answerTo(call, token)], done: token.value.accessToken === story.provider.newestAccessToken() };
}

async function saveSettings(story: Story): Promise<StepOutcome> {
  const saved = story.app.application.settings.save({ ...standardSettings, theme: "dark", usualUser: key.user });
  story.acknowledged.settings ||= saved.ok;
  return one("settings.save", saved);
}

async function revoke(story: Story): Promise<StepOutcome> {
  const session = await story.session();
  if (!session.ok) return one("pipe", session);
  story.revokeTried = true;
  const revoked = await session.value.revoke(key);
  // Asked again after an unacknowledged one that did reach the end: what was wanted is the case.
  const gone = !revoked.ok && revoked.error.code === "not_connected";
  story.acknowledged.revoked ||= revoked.ok || gone;
  return { answers: [answerTo("connection.revoke", revoked)], done: revoked.ok || gone };
}

async function beRefused(story: Story): Promise<StepOutcome> {
  const session = await story.session();
  if (!session.ok) return one("pipe", session);
  const token = await session.value.tokenGet(key);
  if (token.ok && story.acknowledged.revoked) story.broken.push("token.get served a token after the acknowledged revocation");
  return { answers: [answerTo("token.get", token)], done: !token.ok && token.error.code === "not_connected" };
}

async function close(story: Story): Promise<StepOutcome> {
  await story.close();
  return { answers: [], done: true };
}

async function withBroker<T>(story: Story, work: (broker: WindowBroker) => Promise<Result<T>>): Promise<Result<T>> {
  const broker = story.broker();
  return broker.ok ? work(broker.value) : broker;
}

function one(call: string, result: Result<unknown, ToldFailure>): StepOutcome {
  return { answers: [answerTo(call, result)], done: result.ok };
}

function failed(error: ToldFailure): Result<never, ToldFailure> {
  return { ok: false, error };
}
