import fc from "fast-check";
import { expect, test } from "vitest";
import { holdOut, holdOutBlocks } from "./hold-out.ts";

test("blocks part all rows, at least one on each side, and ascend", () => {
  const shares = fc.double({ min: 0.005, max: 0.5, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 3000 }), shares, fc.nat(), (rows, share, seed) => {
      const { kept, held } = holdOutBlocks(rows, share, seed);
      expect([...kept, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
      expect(Math.min(kept.length, held.length)).toBeGreaterThan(0);
      expect([...held]).toEqual([...held].sort((a, b) => a - b));
    }),
    { numRuns: 50 },
  );
});

test("the held-out share is the asked one, in runs of neighbours, and another seed holds out others", () => {
  const { held } = holdOutBlocks(32_000, 0.02, 1);
  expect(held).toHaveLength(640);
  const begins = [...held].filter((row, i) => row !== (held[i - 1] ?? -2) + 1);
  expect(begins.length).toBeLessThanOrEqual(20);
  expect([...held]).not.toEqual([...holdOutBlocks(32_000, 0.02, 2).held]);
});

test("rows are parted in their order, the held-out share is the asked one, and another seed holds out others", () => {
  const rows = Array.from({ length: 100 }, (_, row) => row);
  const { kept, held } = holdOut(rows, 0.1, 1);
  expect(held).toHaveLength(10);
  expect([...kept, ...held].sort((a, b) => a - b)).toEqual(rows);
  expect(kept).toEqual([...kept].sort((a, b) => a - b));
  expect(holdOut(rows, 0.1, 1).held).toEqual(held);
  expect(holdOut(rows, 0.1, 2).held).not.toEqual(held);
});
