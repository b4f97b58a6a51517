import fc from "fast-check";
import { expect, test } from "vitest";
import { ignoredLabel } from "../data/examples.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { labelledRows } from "./labelled-rows.ts";

const label = fc.oneof(fc.constant(ignoredLabel), fc.nat(50));

test("positions and labels make the batch's labels again", () => {
  const batches = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }))
    .chain(([rows, tokens]) =>
      fc
        .array(label, { minLength: rows * tokens, maxLength: rows * tokens })
        .map((labels) => ({ rows, tokens, labels })),
    );
  fc.assert(
    fc.property(batches, ({ rows, tokens, labels }) => {
      const found = labelledRows({ labels: int32([rows, tokens], Int32Array.from(labels)) });
      const again = new Int32Array(labels.length).fill(ignoredLabel);
      for (const [i, position] of found.label_rows.data.entries())
        again[Number(position)] = Number(found.labels.data[i]);
      expect(Array.from(again)).toEqual(labels);
      const counted = Math.max(1, labels.filter((value) => value !== ignoredLabel).length);
      expect(found.label_rows.shape).toEqual([counted]);
      expect(found.labels.shape).toEqual([1, counted]);
    }),
  );
});
