import { expect, test } from "vitest";
import { countsWithout, unigramLoss } from "./unigram.ts";

const row = (...ids: readonly number[]) => ({
  inputIds: Int32Array.from(ids),
  target: { kind: "tokens", ids: Int32Array.from(ids, (id) => (id === 0 ? -100 : id)) } as const,
});

test("equally frequent tokens cost ln of their number, and what has no label costs nothing", async () => {
  const counts = new Float64Array(8).fill(5);
  expect(await unigramLoss(counts, [row(0, 1, 2), row(3, 0)])).toBeCloseTo(Math.log(8), 12);
});

test("a token's loss is minus the logarithm of its share, one more of each", async () => {
  const counts = Float64Array.of(0, 7, 1, 0);
  expect(await unigramLoss(counts, [row(1)])).toBeCloseTo(-Math.log(8 / 12), 12);
  expect(await unigramLoss(counts, [row(3)])).toBeCloseTo(-Math.log(1 / 12), 12);
});

test("counts without some rows are those of the others", async () => {
  const counts = Float64Array.of(2, 2, 1, 0);
  expect([...(await countsWithout(counts, [row(0, 1, 1)]))]).toEqual([1, 0, 1, 0]);
});
