/**
 * `npm run demo [-- --auto | --serve]`: the whole product against stand-ins of both providers, in throw-away folders. With a
 * display a person clicks; with `--auto`, or without a display on Linux, the demo does, through the same window. With `--serve`
 * it is a playground for other programs.
 */
import { setTimeout as delay } from "node:timers/promises";
import { runAutomaticStory } from "./demo/automatic-story.ts";
import { type Closers, createClosers } from "./demo/closers.ts";
import { writeDemoProgram } from "./demo/demo-program.ts";
import { makeReady } from "./demo/make-ready.ts";
import { createNarrator, type Narrator, StepFailed } from "./demo/narrator.ts";
import { runForPerson } from "./demo/person-story.ts";
import { demoUsage, readDemoArguments } from "./demo/read-arguments.ts";
import { serve } from "./demo/serve-story.ts";
import { openStage } from "./demo/stage.ts";

type DemoMode = "person" | "automatic" | "serve";

/** Ten times what the story takes on a slow machine; what makes ready has limits of its own. */
const automaticLimitMs = 180_000;

/** A signal ends the demo early; what was started is still cleared away. */
class Interrupted extends Error {}

process.exitCode = await demo();
// A child that would not end must not keep the terminal.
process.exit();

/** Runs the demo and returns its exit status. */
async function demo(): Promise<number> {
  const wish = readDemoArguments(process.argv.slice(2));
  if (wish === undefined) return 2;
  if (wish === "help") {
    console.log(demoUsage);
    return 0;
  }
  const mode = wish === "usual" ? (hasDisplay() ? "person" : "automatic") : wish;
  // Without a display Electron cannot open a window, but the Chromium host can do without one.
  if (!hasDisplay()) process.env["DMS_CONNECT_HOST"] = "chromium-host";
  const closers = createClosers();
  const story = run(mode, closers);
  const failed = await failureOf(Promise.race([story, interrupted()]));
  await closers.closeAll(story);

  if (failed === undefined || (failed instanceof Interrupted && mode !== "automatic")) {
    console.log("demo: ok");
    return 0;
  }
  console.error(`demo failed: ${failed instanceof StepFailed ? failed.message : new StepFailed("the demo", failed).message}`);
  return 1;
}

async function run(mode: DemoMode, closers: Closers): Promise<void> {
  const narrator = createNarrator((line) => console.log(line));
  await narrator.step("make ready", () => makeReady({ isAutomatic: mode !== "person" }));
  const story = tellStory(mode, narrator, closers);
  // A person may take all day.
  await (mode === "automatic" ? Promise.race([story, limitReached()]) : story);
}

async function tellStory(mode: DemoMode, narrator: Narrator, closers: Closers): Promise<void> {
  const stage = await openStage({
    narrator,
    isHeaded: mode === "person",
    closeLater: closers.add,
    ...(mode === "serve" ? { furnish: writeDemoProgram } : {}),
  });
  switch (mode) {
    case "person":
      return runForPerson(stage);
    case "automatic":
      return runAutomaticStory(stage, narrator);
    case "serve":
      return serve(stage, narrator);
    default:
      return mode satisfies never;
  }
}

/** Rejects at a signal. */
function interrupted(): Promise<never> {
  return new Promise((_resolve, reject) => {
    // Not once: Ctrl+C comes from the terminal and again from npm, and the second one must not end the clearing away.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => reject(new Interrupted("it was interrupted")));
  });
}

/** Rejects at the time limit. */
async function limitReached(): Promise<never> {
  await delay(automaticLimitMs, undefined, { ref: false });
  throw new Error(`it took longer than ${automaticLimitMs / 1000} seconds`);
}

async function failureOf(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
    return undefined;
  } catch (error) {
    return error;
  }
}

function hasDisplay(): boolean {
  if (process.platform !== "linux") return true;
  return [process.env["DISPLAY"], process.env["WAYLAND_DISPLAY"]].some((display) => display !== undefined && display !== "");
}
