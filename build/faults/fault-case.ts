/**
 * One story with one fault. Invariant: the fault ends before the app is closed, unless it begins in that very moment:
 * what waits in memory for a full disk can only be written by an app that still runs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, codeOf, whatIsWrongWith } from "./answer.ts";
import { type Fault, type FaultSwitch, type Operation, type OperationCounts } from "./fault-switch.ts";
import { bounded, Hang } from "./hang.ts";
import { startRotatingProvider } from "./rotating-provider.ts";
import { compareWithStored, vaultDamageNotices } from "./stored-state.ts";
import { Story } from "./story.ts";
import { newStoryProfile } from "./story-app.ts";
import { type Step, type StepOutcome, steps } from "./story-steps.ts";

export interface StoryCase {
  readonly kind: "story";
  readonly id: string;
  /** None: the operations are only counted. */
  readonly fault: Fault | undefined;
  /** What happens when the fault ends: the same run goes on, or the app is restarted first and looked into. */
  readonly afterwards: "resume" | "restart";
}

export interface CaseProblem {
  readonly kind: "unanswered" | "lost" | "unreadable" | "stuck";
  readonly text: string;
}

export interface CaseResult {
  readonly id: string;
  /** How many calls failed. 0: the story was over before the fault began. */
  readonly hits: number;
  /** The step in which the fault began. */
  readonly step: string;
  /** The codes of the failures that were told, in order. */
  readonly codes: readonly string[];
  readonly problems: readonly CaseProblem[];
  /** Calls on watched files until the fault ended; without a fault, those of the whole story. */
  readonly seen: OperationCounts;
}

export interface CaseSurroundings {
  readonly disk: FaultSwitch;
  /** Only files below it fail. */
  readonly watchedFolder: string;
  readonly otherFolder: string;
}

/** How many steps are tried while a fault lasts. */
const stepsUnderFault = 3;
/** How often somebody tries again after the fault has ended, and how long they wait in between. */
const triesAfterwards = 25;
const pauseMs = 100;

/** Plays the story once. */
export async function runStoryCase({ id, fault, afterwards }: StoryCase, surroundings: CaseSurroundings): Promise<CaseResult> {
  const provider = await startRotatingProvider();
  const story = new Story(provider, newStoryProfile(surroundings.watchedFolder, surroundings.otherFolder, id));
  const run = new CaseRun(story, surroundings.disk, fault, afterwards);
  try {
    await run.play();
    return { id, ...run.outcome() };
  } finally {
    surroundings.disk.disarm();
    await provider.close();
  }
}

class CaseRun {
  readonly #story: Story;
  readonly #disk: FaultSwitch;
  readonly #fault: Fault | undefined;
  readonly #afterwards: StoryCase["afterwards"];
  readonly #problems: CaseProblem[] = [];
  readonly #codes: string[] = [];
  readonly #done = new Set<Step>();
  readonly #seenBefore: OperationCounts;
  #seen: OperationCounts;
  #beganIn = "";

  constructor(story: Story, disk: FaultSwitch, fault: Fault | undefined, afterwards: StoryCase["afterwards"]) {
    this.#story = story;
    this.#disk = disk;
    this.#fault = fault;
    this.#afterwards = afterwards;
    this.#seenBefore = disk.seen();
    this.#seen = this.#seenBefore;
  }

  async play(): Promise<void> {
    const thrown = (error: unknown) => this.#problem("unanswered", `thrown, and nobody caught it: ${String(error)}`);
    process.on("unhandledRejection", thrown).on("uncaughtException", thrown);
    try {
      if (this.#fault !== undefined) this.#disk.arm(this.#fault);
      await this.#playUnderFault();
      await this.#endFault();
      await this.#playToTheEnd();
      await this.#lookInto("the end");
      await bounded("the last close", this.#story.close());
    } catch (error) {
      this.#problem(error instanceof Hang ? "stuck" : "unanswered", String(error));
    } finally {
      process.off("unhandledRejection", thrown).off("uncaughtException", thrown);
    }
    for (const event of loggedErrors(this.#story)) this.#problem("unanswered", `an exception in the log: ${event}`);
  }

  outcome(): Omit<CaseResult, "id"> {
    const hits = this.#fault === undefined ? 0 : this.#disk.hits();
    const seen = difference(this.#seenBefore, this.#seen);
    return { hits, step: this.#beganIn, codes: this.#codes, problems: this.#problems, seen };
  }

  /** Up to the fault's beginning and, where it lasts, a few steps further. */
  async #playUnderFault(): Promise<void> {
    let failing = 0;
    for (const step of steps) {
      const hit = this.#beganIn !== "";
      if (hit && (this.#fault?.sticky !== true || step.closes === true || failing === stepsUnderFault)) return;
      const outcome = await this.#try(step);
      if (this.#fault !== undefined && this.#disk.hits() > 0) {
        this.#beganIn ||= step.name;
        failing += 1;
      } else if (!outcome.done) {
        throw new Hang(`${step.name} fails without a fault: ${outcome.answers.map(codeOf).join(", ")}`);
      }
    }
  }

  async #endFault(): Promise<void> {
    this.#disk.disarm();
    this.#seen = this.#disk.seen();
    if (this.#afterwards === "restart" && this.#beganIn !== "") await this.#lookInto(this.#beganIn);
  }

  async #playToTheEnd(): Promise<void> {
    for (const step of steps) {
      for (let tried = 0; !this.#done.has(step); tried += 1) {
        if (tried === triesAfterwards) throw new Hang(`${step.name} still fails after the fault has ended: ${this.#codes.at(-1)}`);
        // In between, as people and programs do.
        if (tried > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await this.#try(step);
      }
    }
  }

  async #try(step: Step): Promise<StepOutcome> {
    const outcome = await bounded(step.name, step.run(this.#story));
    if (outcome.done) this.#done.add(step);
    for (const answer of outcome.answers) this.#judge(answer);
    if (step.starts === true) for (const code of vaultDamageNotices(this.#story)) this.#problem("unreadable", `${step.name} tells ${code}`);
    return outcome;
  }

  #judge(answer: Answer): void {
    if (answer.failure !== undefined) this.#codes.push(codeOf(answer));
    const wrong = whatIsWrongWith(answer);
    if (wrong !== undefined) this.#problem("unanswered", wrong);
  }

  /** Restarts the app without a fault and compares what it knows with what was acknowledged. */
  async #lookInto(when: string): Promise<void> {
    await bounded("a restart without a fault", this.#story.restart());
    const { lost, unreadable } = await bounded("reading", compareWithStored(this.#story));
    for (const text of lost) this.#problem("lost", `after ${when}: ${text}`);
    for (const text of unreadable) this.#problem("unreadable", `after ${when}: ${text}`);
  }

  #problem(kind: CaseProblem["kind"], text: string): void {
    this.#problems.push({ kind, text });
  }
}

function difference(before: OperationCounts, after: OperationCounts): OperationCounts {
  const count = (operation: Operation) => after[operation] - before[operation];
  return { open: count("open"), write: count("write"), sync: count("sync"), rename: count("rename"), entry: count("entry") };
}

/** The events of level `error`: the app writes them for bugs only. */
function loggedErrors({ profile }: Story): readonly string[] {
  const lines = readFileSync(join(profile.folder, "dms-connect.log"), { encoding: "utf8", flag: "a+" }).split("\n");
  return lines.filter((line) => line.includes('"level":"error"'));
}
