import fc from "fast-check";
import { expect, test } from "vitest";
import { heaviest, highest } from "./ranking.ts";

const scores = fc
  .array(fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Number.NEGATIVE_INFINITY)), {
    minLength: 1,
    maxLength: 60,
  })
  .map((values) => Float32Array.from(values));
const sorted = (values: Float32Array) =>
  [...values.keys()]
    .filter((id) => values[id]! > Number.NEGATIVE_INFINITY)
    .sort((a, b) => values[b]! - values[a]! || a - b);

test("the K highest come in the order of a full sort", () => {
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 70 }), (values, K) => {
      expect([...highest(values, K)]).toEqual(sorted(values).slice(0, K));
    }),
    { numRuns: 1000 },
  );
});

test("the heaviest are the first of a full sort that have the wanted probability together", () => {
  const likely = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(likely, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (given, topP) => {
      const values = Float32Array.from(given);
      const masses = Float64Array.from(values, Math.exp);
      const all = masses.reduce((sum, mass) => sum + mass, 0);
      const found = [...heaviest(values, masses, topP * all)];
      const order = sorted(values).slice(0, found.length);
      expect(new Set(found)).toEqual(new Set(order));
      const without = order.slice(0, -1).reduce((sum, id) => sum + masses[id]!, 0);
      // sums in another order differ in the last digits
      expect(order.reduce((sum, id) => sum + masses[id]!, 0)).toBeGreaterThanOrEqual(topP * all * (1 - 1e-9));
      expect(order.length === 1 || without < topP * all * (1 + 1e-9)).toBe(true);
    }),
  );
});
