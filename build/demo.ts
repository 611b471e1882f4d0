/**
 * `npm run demo [-- --auto]`: the whole product against stand-ins of both providers, in throw-away folders. With a display
 * a person clicks; with `--auto`, or without a display on Linux, the demo does, through the same window.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runAutomaticStory } from "./demo/automatic-story.ts";
import { makeReady } from "./demo/make-ready.ts";
import { createNarrator, type Narrator, StepFailed } from "./demo/narrator.ts";
import { runForPerson } from "./demo/person-story.ts";
import { openStage } from "./demo/stage.ts";

/** Ten times what the story takes on a slow machine; what makes ready has limits of its own. */
const automaticLimitMs = 180_000;
/** For each thing that is ended or deleted afterwards. */
const closeLimitMs = 15_000;

/** A signal ends the demo early; what was started is still cleared away. */
class Interrupted extends Error {}

process.exitCode = await demo();
// A child that would not end must not keep the terminal.
process.exit();

/** Runs the demo and returns its exit status. */
async function demo(): Promise<number> {
  const isAutomaticWanted = readArguments();
  if (isAutomaticWanted === undefined) return 2;
  const isAutomatic = isAutomaticWanted || !hasDisplay();
  // Without a display Electron cannot open a window, but the Chromium host can do without one.
  if (!hasDisplay()) process.env["DMS_CONNECT_HOST"] = "chromium-host";
  const closers: (() => unknown)[] = [];
  const failed = await failureOf(() => Promise.race([run(isAutomatic, closers), interrupted()]));
  for (const close of closers.toReversed())
    await Promise.race([failureOf(async () => close()), delay(closeLimitMs, undefined, { ref: false })]);

  if (failed === undefined || (failed instanceof Interrupted && !isAutomatic)) {
    console.log("demo: ok");
    return 0;
  }
  console.error(`demo failed: ${failed instanceof StepFailed ? failed.message : new StepFailed("the demo", failed).message}`);
  return 1;
}

/** Whether `--auto` was given; undefined, with the reason printed, for any other argument. */
function readArguments(): boolean | undefined {
  try {
    return parseArgs({ options: { auto: { type: "boolean", default: false } } }).values.auto;
  } catch (error) {
    // What follows the first sentence is about positional arguments, of which there are none here.
    const [reason] = error instanceof Error ? error.message.split(". ") : [];
    console.error(`demo: ${reason}; usage: npm run demo [-- --auto]`);
    return undefined;
  }
}

async function run(isAutomatic: boolean, closers: (() => unknown)[]): Promise<void> {
  const narrator = createNarrator((line) => console.log(line));
  await narrator.step("make ready", () => makeReady({ isAutomatic }));
  const story = tellStory(isAutomatic, narrator, closers);
  // A person may take all day.
  await (isAutomatic ? Promise.race([story, limitReached()]) : story);
}

async function tellStory(isAutomatic: boolean, narrator: Narrator, closers: (() => unknown)[]): Promise<void> {
  const stage = await openStage({ narrator, isHeaded: !isAutomatic, closeLater: (close) => void closers.push(close) });
  await (isAutomatic ? runAutomaticStory(stage, narrator) : runForPerson(stage));
}

/** Rejects at a signal. */
function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => reject(new Interrupted("it was interrupted")));
  });
}

/** Rejects at the time limit. */
async function limitReached(): Promise<never> {
  await delay(automaticLimitMs, undefined, { ref: false });
  throw new Error(`it took longer than ${automaticLimitMs / 1000} seconds`);
}

async function failureOf(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

function hasDisplay(): boolean {
  if (process.platform !== "linux") return true;
  return [process.env["DISPLAY"], process.env["WAYLAND_DISPLAY"]].some((display) => display !== undefined && display !== "");
}
