import { expect, test } from "vitest";
import { labelMap } from "../../data/rows/labels.ts";
import { classWeightsOf } from "./class-weights.ts";

const labels = labelMap(["bad", "good", "odd"]);
const rows = [0, 0, 0, 1].map((id) => ({ inputIds: Int32Array.of(5), target: { kind: "class", id } as const }));

test("balanced, a class weighs n / (k · n_c), and one without items 1", () => {
  expect(classWeightsOf("balanced", labels, rows)).toEqual([4 / (3 * 3), 4 / (3 * 1), 1]);
});

test("named, a class weighs what is said of it and the others 1; strange names and weights are refused together", () => {
  expect(classWeightsOf({ odd: 3, bad: 0.5 }, labels, rows)).toEqual([0.5, 1, 3]);
  expect(() => classWeightsOf({ god: 2, bad: 0 }, labels, rows)).toThrow(
    /"god"; did you mean "good"[\s\S]*"bad" weighs 0/,
  );
});
