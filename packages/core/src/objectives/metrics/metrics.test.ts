import fc from "fast-check";
import { expect, test } from "vitest";
import { float32, int32 } from "../../tensor/host-tensor.ts";
import { accuracy, f1Macro, matthews, pearson, spearman } from "./metrics.ts";
import { measureTags } from "./tag-measures.ts";

// scikit-learn 1.x and SciPy 1.x on the same lists
const actual = [0, 1, 2, 2, 1, 0, 1, 1];
const predicted = [0, 2, 2, 2, 1, 0, 0, 1];

test("accuracy, macro F1 and Matthews' correlation are scikit-learn's", () => {
  expect(accuracy({ predicted, actual })).toBe(0.75);
  expect(f1Macro({ predicted, actual })).toBeCloseTo(0.7555555555555555, 12);
  expect(matthews({ predicted, actual })).toBeCloseTo(0.6831300510639733, 12);
});

test("a class that only predictions name counts in macro F1, as in scikit-learn", () => {
  expect(f1Macro({ predicted: [0, 3], actual: [0, 1] })).toBeCloseTo(1 / 3, 12);
});

test("Pearson's and Spearman's correlations are SciPy's, ties included", () => {
  const [a, b] = [
    [1, 2, 3, 4, 5],
    [1, 4, 9, 16, 30],
  ];
  expect(pearson(a, b)).toBeCloseTo(0.9579159651319534, 12);
  expect(spearman([1, 2, 2, 3], [4, 1, 2, 5])).toBeCloseTo(0.31622776601683794, 12);
});

const classes = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), {
  minLength: 1,
  maxLength: 60,
});

test("metrics do not depend on the items' order nor on the classes' numbers", () => {
  fc.assert(
    fc.property(classes, (pairs) => {
      const items = (list: readonly (readonly [number, number])[]) => ({
        predicted: list.map(([p]) => p),
        actual: list.map(([, a]) => a),
      });
      const turned = items([...pairs].reverse().map(([p, a]) => [4 - p, 4 - a] as const));
      for (const metric of [accuracy, f1Macro, matthews]) expect(metric(items(pairs))).toBeCloseTo(metric(turned), 10);
    }),
  );
});

test("correlations of a line with itself are 1, against its mirror −1, with a constant 0", () => {
  const values = [0.5, -2, 7, 3.25];
  for (const correlation of [pearson, spearman]) {
    expect(
      correlation(
        values,
        values.map((x) => 3 * x + 1),
      ),
    ).toBeCloseTo(1, 12);
    expect(
      correlation(
        values,
        values.map((x) => -x),
      ),
    ).toBeCloseTo(-1, 12);
    expect(correlation(values, [1, 1, 1, 1])).toBe(0);
  }
});

test("items without a label count for nothing, and an entity ends with its row", () => {
  const tags = measureTags(["O", "B-x", "I-x"]);
  const logits = float32([2, 3, 3], Float32Array.of(...[0, 9, 0, 0, 0, 9, 9, 0, 0], ...[0, 9, 0, 0, 9, 0, 0, 0, 9]));
  const labels = int32([2, 3], Int32Array.of(1, 2, -100, 1, 1, -100));
  tags.add(logits, labels);
  expect(tags.result({ loss: 0, items: 0, right: 0 })).toMatchObject({
    accuracy: 1,
    entity_f1: 1,
    per_entity: [{ support: 3 }],
  });
  tags.add(logits, int32([2, 3], Int32Array.of(1, 2, -100, 0, 0, -100)));
  expect(tags.result({ loss: 0, items: 0, right: 0 })).toMatchObject({
    accuracy: 6 / 8,
    entity_precision: 4 / 6,
    entity_recall: 1,
  });
});
