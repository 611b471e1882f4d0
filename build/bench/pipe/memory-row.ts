/** A day of polling in a minute: a million requests of several programs, each of which connects again now and then. */
import { setTimeout as delay } from "node:timers/promises";
import type { BenchScene } from "./bench-scene.ts";
import type { Memory } from "./child-contract.ts";
import { openSession } from "./program.ts";
import { askPipelined } from "./request-rows.ts";

const requests = 1_000_000;
const pollers = 8;
const requestsASession = 2_500;
const underWay = 32;
const steps = 10;
/** What is written beside the answers is written by then. */
const quietMs = 200;
/** The first two tenths warm up. Then the mean of the next tenths is compared with that of the last ones. */
const warmUpSteps = 2;
const comparedSteps = 3;

export interface MemoryRow {
  readonly requests: number;
  /** After each tenth of the requests. */
  readonly course: readonly Memory[];
  readonly afterWarmUp: Memory;
  readonly atEnd: Memory;
}

export async function benchMemory({ broker }: BenchScene): Promise<MemoryRow> {
  const course: Memory[] = [];
  const sessionsAStep = requests / steps / pollers / requestsASession;
  for (let step = 0; step < steps; step += 1) {
    await Promise.all(broker.programs.slice(0, pollers).map((program) => poll(broker.pipe, program, sessionsAStep)));
    await delay(quietMs);
    course.push(await broker.memory());
  }
  const afterWarmUp = mean(course.slice(warmUpSteps, warmUpSteps + comparedSteps));
  return { requests, course, afterWarmUp, atEnd: mean(course.slice(-comparedSteps)) };
}

function mean(measured: readonly Memory[]): Memory {
  const of = (field: keyof Memory) => measured.reduce((sum, memory) => sum + memory[field], 0) / measured.length;
  return { rss: of("rss"), heapUsed: of("heapUsed"), external: of("external") };
}

async function poll(pipe: string, program: Parameters<typeof openSession>[1], sessions: number): Promise<void> {
  for (let count = 0; count < sessions; count += 1) {
    const client = await openSession(pipe, program);
    await askPipelined(client, requestsASession, underWay);
    client.close();
  }
}
