import fc from "fast-check";
import { expect, test } from "vitest";
import { ignoredLabel } from "../data/rows/examples.ts";
import { type HostTensor, int32 } from "../tensor/host-tensor.ts";
import { labelledRows } from "./labelled-rows.ts";

const label = fc.oneof(fc.constant(ignoredLabel), fc.nat(50));

test("positions and labels make the batch's labels again, in chunks that are not too large and hardly filled up", () => {
  const batches = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }))
    .chain(([rows, tokens]) =>
      fc
        .array(label, { minLength: rows * tokens, maxLength: rows * tokens })
        .map((labels) => ({ rows, tokens, labels })),
    );
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 12 }), ({ rows, tokens, labels }, most) => {
      const input_ids = int32([rows, tokens], new Int32Array(rows * tokens));
      const found = labelledRows({ input_ids, labels: int32([rows, tokens], Int32Array.from(labels)) }, most);
      const again = new Int32Array(labels.length).fill(ignoredLabel);
      for (const [i, position] of found.label_rows.data.entries()) {
        const value = Number(found.labels.data[i]);
        if (value !== ignoredLabel) again[Number(position)] = value;
      }
      expect(Array.from(again)).toEqual(labels);
      const count = labels.filter((value) => value !== ignoredLabel).length;
      const [chunks = 0, one, each = 0] = found.labels.shape;
      expect(found.label_rows.shape).toEqual(found.labels.shape);
      expect([chunks, one]).toEqual([Math.max(1, Math.ceil(count / most)), 1]);
      expect(each).toBeLessThanOrEqual(most);
      expect(chunks * each - count).toBeLessThan(Math.max(2, chunks)); // no chunk has two rows for nothing
    }),
  );
});

test("behind a prompt a row has one state more, which the label of its first token belongs to", () => {
  const input_ids = int32([2, 3], new Int32Array(6));
  const none = ignoredLabel;
  const placesOf = (labels: HostTensor) =>
    [...labelledRows({ input_ids, labels }, 9, 1).label_rows.data.values()].map(Number);
  const own = int32([2, 3], Int32Array.of(none, 7, none, 8, none, none));
  expect(placesOf(own)).toEqual([2, 5]);
  const ahead = int32([2, 4], Int32Array.of(1, none, 7, none, none, 8, none, none));
  expect(placesOf(ahead)).toEqual([0, 2, 5]);
});
