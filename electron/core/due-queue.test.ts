import { array, assert, constant, integer, oneof, property, record } from "fast-check";
import { expect, it } from "vitest";
import { DueQueue } from "./due-queue.ts";

const keys = integer({ min: 0, max: 20 });
const steps = array(
  oneof(
    record({ do: constant("set" as const), key: keys, atMs: integer({ min: 0, max: 100 }) }),
    record({ do: constant("delete" as const), key: keys, atMs: constant(0) }),
    record({ do: constant("take" as const), key: constant(0), atMs: integer({ min: 0, max: 100 }) }),
  ),
  { maxLength: 200 },
);

it("does what a plain list that is searched each time does", () => {
  assert(
    property(steps, (all) => {
      const queue = new DueQueue<number>();
      const plain = new Map<number, number>();
      const given: (number | undefined)[] = [];
      const wanted: (number | undefined)[] = [];
      for (const step of all) {
        if (step.do === "set") {
          queue.set(step.key, step.atMs);
          plain.set(step.key, step.atMs);
        } else if (step.do === "delete") {
          queue.delete(step.key);
          plain.delete(step.key);
        } else {
          const firstMs = plain.size === 0 ? undefined : Math.min(...plain.values());
          const taken = queue.take(step.atMs);
          const isDue = firstMs !== undefined && firstMs <= step.atMs;
          // Several may be due at the same time: any of them is right.
          given.push(taken === undefined ? undefined : plain.get(taken));
          wanted.push(isDue ? firstMs : undefined);
          plain.delete(taken ?? -1);
        }
        expect(queue.size).toBe(plain.size);
        expect(queue.firstAtMs).toBe(plain.size === 0 ? undefined : Math.min(...plain.values()));
      }
      expect(given).toEqual(wanted);
      for (const key of plain.keys()) expect(queue.has(key)).toBe(true);
    }),
  );
});

it("gives entries in the order they are due, and none before its time", () => {
  const queue = new DueQueue<string>();
  queue.set("late", 30);
  queue.set("early", 10);
  queue.set("moved", 50);
  queue.set("moved", 20);
  expect([queue.take(9), queue.take(30), queue.take(30), queue.take(30), queue.take(30)]).toEqual([
    undefined,
    "early",
    "moved",
    "late",
    undefined,
  ]);
});
