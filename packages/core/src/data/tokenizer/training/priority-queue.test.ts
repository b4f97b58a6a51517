import fc from "fast-check";
import { expect, test } from "vitest";
import { priorityQueue } from "./priority-queue.ts";

test("what comes out is the first of what is in, whatever comes and goes between", () => {
  const moves = fc.array(fc.option(fc.integer({ min: -20, max: 20 })), { maxLength: 200 });
  fc.assert(
    fc.property(moves, (drawn) => {
      const queue = priorityQueue<number>((a, b) => a < b);
      const sorted: number[] = [];
      for (const item of drawn) {
        if (item === null) expect(queue.pop()).toBe(sorted.shift());
        else {
          queue.push(item);
          sorted.push(item);
          sorted.sort((a, b) => a - b);
        }
      }
      for (const item of sorted) expect(queue.pop()).toBe(item);
      expect(queue.pop()).toBeUndefined();
    }),
  );
});
