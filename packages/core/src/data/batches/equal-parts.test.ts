import fc from "fast-check";
import { expect, test } from "vitest";
import { equalParts } from "./equal-parts.ts";

const paddedTokens = (rows: readonly number[], lengths: readonly number[]) =>
  rows.length * Math.max(...rows.map((row) => lengths[row] ?? 0));

test("every row is in one part, there are no more parts than asked for, and no cut of the sorted rows makes a smaller largest one", () => {
  const given = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(given, fc.integer({ min: 1, max: 4 }), (lengths, parts) => {
      const dealt = equalParts(lengths, parts);
      expect(dealt.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
      expect(dealt.length).toBeLessThanOrEqual(parts);
      const largest = Math.max(...dealt.map((part) => paddedTokens(part, lengths)));
      if (parts !== 2) return;
      const sorted = [...lengths].sort((a, b) => a - b);
      const cuts = sorted.map((_, at) => {
        const [short, long] = [sorted.slice(0, at), sorted.slice(at)];
        return Math.max(short.length * Math.max(0, ...short), long.length * Math.max(0, ...long));
      });
      expect(largest).toBe(Math.min(...cuts));
    }),
  );
});
