/**
 * A full disk never loses a rotated token silently: it is kept in memory, served, written as soon as that works, and the
 * window says so. Invariant: the disk fills up after "refresh in flight" was committed and before the provider's answer
 * leaves, which is the one moment in which the only good refresh token is not on the disk.
 */
import { cpSync } from "node:fs";
import type { ConnectionView } from "../../shared/views.ts";
import { answerTo, codeOf, whatIsWrongWith } from "./answer.ts";
import type { CaseProblem, CaseResult, CaseSurroundings } from "./fault-case.ts";
import { type FaultError, operations } from "./fault-switch.ts";
import { bounded, Hang } from "./hang.ts";
import { startRotatingProvider } from "./rotating-provider.ts";
import { compareWithStored } from "./stored-state.ts";
import { key, Story } from "./story.ts";
import { newStoryProfile } from "./story-app.ts";
import { steps } from "./story-steps.ts";

export interface RotatedTokenCase {
  readonly kind: "rotated-token";
  readonly id: string;
  readonly error: FaultError;
  /**
   * `writes-later`: the fault ends while the app runs. `stays-full`: only after some tries to write have failed, too.
   * `closed-while-full`: the app is closed before; then the token is lost, but not silently.
   */
  readonly course: "writes-later" | "stays-full" | "closed-while-full";
}

/** Longer than two of the broker's own tries to write again (`rewriteEveryMs` in core/connections.ts). */
const stayFullMs = 7_000;

/** Plays it once. */
export async function runRotatedTokenCase(wanted: RotatedTokenCase, surroundings: CaseSurroundings): Promise<CaseResult> {
  const provider = await startRotatingProvider();
  const story = new Story(provider, newStoryProfile(surroundings.watchedFolder, surroundings.otherFolder, wanted.id));
  const problems: CaseProblem[] = [];
  const codes: string[] = [];
  const scene: Scene = { wanted, story, surroundings, codes, problem: (kind, text) => problems.push({ kind, text }) };
  try {
    await bounded("the scene", play(scene)).catch((error: unknown) => {
      scene.problem(error instanceof Hang ? "stuck" : "unanswered", String(error));
    });
    return { id: wanted.id, hits: surroundings.disk.hits(), step: "first token", codes, problems, seen: surroundings.disk.seen() };
  } finally {
    surroundings.disk.disarm();
    await provider.close();
  }
}

interface Scene {
  readonly wanted: RotatedTokenCase;
  readonly story: Story;
  readonly surroundings: CaseSurroundings;
  readonly codes: string[];
  readonly problem: (kind: CaseProblem["kind"], text: string) => void;
}

async function play(scene: Scene): Promise<void> {
  for (const { run } of steps.slice(0, 4)) await run(scene.story);
  await fillUpDuringRefresh(scene);
  if (scene.wanted.course === "closed-while-full") await closeWhileFull(scene);
  else await writeLater(scene);
  await scene.story.close();
}

async function fillUpDuringRefresh(scene: Scene): Promise<void> {
  const { story, surroundings, wanted } = scene;
  const before = story.provider.newestAccessToken();
  story.provider.onRotated = () => surroundings.disk.arm({ operations, nth: 1, error: wanted.error, sticky: true });
  for (const what of ["the caller", "the next caller"]) {
    const session = await story.session();
    const token = session.ok ? await session.value.tokenGet(key) : session;
    const served = token.ok && token.value.accessToken === story.provider.newestAccessToken() && token.value.accessToken !== before;
    if (!served) scene.problem("lost", `${what} does not get the new token`);
  }
  const shown = await shownConnection(story);
  tellsOfDisk(scene, shown);
}

/** Active, and the window says that it could not be written and what to do. */
function tellsOfDisk({ codes, problem }: Scene, shown: ConnectionView | undefined): void {
  const answer = { call: "connections.list", failure: shown?.failure };
  codes.push(codeOf(answer));
  const wrong = whatIsWrongWith(answer);
  if (wrong !== undefined) problem("unanswered", wrong);
  if (shown?.state !== "Active") problem("lost", `the window shows ${shown?.state ?? "no connection"}`);
  if (shown?.failure?.code !== "vault_write_failed") problem("lost", "the window does not say that the token is not written");
}

async function writeLater(scene: Scene): Promise<void> {
  const { story, surroundings, wanted, problem } = scene;
  if (wanted.course === "stays-full") {
    await new Promise((resolve) => setTimeout(resolve, stayFullMs));
    tellsOfDisk(scene, await shownConnection(story));
  }
  const broker = story.broker();
  if (!broker.ok) return problem("stuck", broker.error.code);
  const written = new Promise<void>((resolve) => {
    broker.value.connections.onChanged((view) => view.state === "Active" && view.failure === undefined && resolve());
  });
  surroundings.disk.disarm();
  await written;
  // As after a power cut: closing would write what waits.
  const copy = newStoryProfile(surroundings.watchedFolder, surroundings.otherFolder, `${wanted.id}-copy`);
  cpSync(story.profile.folder, copy.folder, { recursive: true });
  const afterPowerCut = new Story(story.provider, { ...copy, safeStorage: story.profile.safeStorage });
  Object.assign(afterPowerCut.acknowledged, story.acknowledged);
  for (const one of [afterPowerCut, story]) {
    await one.restart();
    const { lost, unreadable } = await compareWithStored(one);
    for (const text of lost) problem("lost", text);
    for (const text of unreadable) problem("unreadable", text);
  }
  await afterPowerCut.close();
}

async function closeWhileFull({ story, surroundings, problem, codes }: Scene): Promise<void> {
  await story.close();
  surroundings.disk.disarm();
  const reopened = await story.restart();
  if (!reopened.ok) return problem("unreadable", reopened.error.code);
  const shown = await shownConnection(story);
  const session = await story.session();
  const token = session.ok ? await session.value.tokenRejected({ ...key, tokenId: await servedTokenId(story) }) : session;
  const written = token.ok;
  for (const answer of [{ call: "connections.list", failure: shown?.failure }, answerTo("token.rejected", token)]) {
    codes.push(codeOf(answer));
    if (written) continue;
    if (answer.failure === undefined) problem("lost", `${answer.call} says nothing of the lost token`);
    const wrong = whatIsWrongWith(answer);
    if (wrong !== undefined) problem("unanswered", wrong);
  }
}

async function servedTokenId(story: Story): Promise<string> {
  const session = await story.session();
  const token = session.ok ? await session.value.tokenGet(key) : session;
  return token.ok ? token.value.tokenId : "none";
}

async function shownConnection(story: Story): Promise<ConnectionView | undefined> {
  const broker = story.broker();
  const listed = broker.ok ? await broker.value.connections.list() : broker;
  return listed.ok ? listed.value[0] : undefined;
}
