import { expect, test } from "vitest";
import { stepBatches } from "./step-batches.ts";

const settings = { batch: 2, accumulate: 1, workers: 1, seed: 3, shuffle: false };
const masking = { maskId: 4, specialIds: new Set<number>(), continuationIds: new Set<number>(), vocabulary: 500 };
const examples = Array.from({ length: 4 }, (_, row) => ({
  inputIds: Int32Array.from({ length: 40 }, (_id, at) => 10 + row * 40 + at),
}));

test("the steps of every epoch read each row once, in an order of the epoch's own", async () => {
  const batches = stepBatches({ examples, settings: { ...settings, shuffle: true }, padId: 0 });
  const epochs = await Promise.all(
    [0, 1, 2, 3].map(async (epoch) => {
      const [first, second] = [await batches(2 * epoch), await batches(2 * epoch + 1)];
      return [...first, ...second].flatMap(({ rows = [] }) => rows);
    }),
  );
  for (const rows of epochs) expect([...rows].sort()).toEqual([0, 1, 2, 3]);
  expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
});

test("what is hidden of a row differs from epoch to epoch, and is the same whenever a step is asked for", async () => {
  const source = { examples, settings, masking, padId: 0 };
  const idsOf = async (step: number) => {
    const [batch] = await stepBatches(source)(step);
    return [...(batch?.input_ids.data ?? [])];
  };
  const [first, other, later] = [await idsOf(0), await idsOf(1), await idsOf(2)]; // two steps are an epoch
  expect(first).toHaveLength(80);
  expect(later).not.toEqual(first);
  expect(other).not.toEqual(first);
  expect(await idsOf(2)).toEqual(later);
});
