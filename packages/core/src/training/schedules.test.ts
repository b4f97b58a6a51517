import fc from "fast-check";
import { expect, test } from "vitest";
import { scheduleFactor, schedules } from "./schedules.ts";

const lengths = fc
  .integer({ min: 2, max: 500 })
  .chain((steps) => fc.tuple(fc.constant(steps), fc.integer({ min: 0, max: steps - 1 })));

test("every schedule climbs in a line during warm-up, begins at 1 behind it and never leaves [0, 1]", () => {
  fc.assert(
    fc.property(fc.constantFrom(...schedules), lengths, (schedule, [steps, warmup]) => {
      for (let step = 0; step < steps; step++) {
        const factor = scheduleFactor(schedule, step, warmup, steps);
        if (step < warmup) expect(factor).toBeCloseTo(step / warmup, 12);
        if (step === warmup) expect(factor).toBe(1);
        expect(factor).toBeGreaterThanOrEqual(0);
        expect(factor).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("linear and cosine fall to 0 at the end and cross one half midway", () => {
  for (const schedule of ["linear", "cosine"] as const) {
    expect(scheduleFactor(schedule, 110, 10, 110)).toBeCloseTo(0, 12);
    expect(scheduleFactor(schedule, 60, 10, 110)).toBeCloseTo(0.5, 12);
  }
});
