import fc from "fast-check";
import { expect, test } from "vitest";
import { rankedIds } from "./ranking.ts";

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

test("the best ids come in the order of a full sort, as many as are wanted or more", () => {
  fc.assert(
    fc.property(scores, fc.option(fc.integer({ min: 1, max: 70 }), { nil: undefined }), (values, topK) => {
      const all = sorted(values);
      const { ids: found } = rankedIds(values, { topK, topP: 1, temperature: 1 });
      expect(found).toEqual(all.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(Math.min(topK ?? all.length, all.length));
    }),
    { numRuns: 1000 },
  );
});

test("the best ids have the probability that is wanted together", () => {
  const likely = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(likely, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (given, topP) => {
      const values = Float32Array.from(given);
      const mass = (ids: readonly number[]) => ids.reduce((sum, id) => sum + Math.exp(values[id]!), 0);
      const { ids: found } = rankedIds(values, { topK: undefined, topP, temperature: 1 });
      expect(found).toEqual(sorted(values).slice(0, found.length));
      expect(mass(found) / mass([...values.keys()])).toBeGreaterThanOrEqual(topP * (1 - 1e-6));
    }),
  );
});
