import { expect, test } from "vitest";
import { intruderDimensions, leadingDirections } from "./intruder-dimensions.ts";
import { random } from "./random.ts";
import { type DenseMatrix, leadingSingular, leftVectors } from "./singular-values.ts";

/** A matrix [rows, columns] with values on its diagonal. */
function diagonal(rows: number, columns: number, values: readonly number[]): DenseMatrix {
  const numbers = new Float64Array(rows * columns);
  for (const [at, value] of values.entries()) numbers[at * columns + at] = value;
  return { rows, columns, values: numbers };
}

const intrudersOf = (W: DenseMatrix, tuned: DenseMatrix) =>
  intruderDimensions(leadingSingular(tuned, leadingDirections).left, leftVectors(W));

const scaled = (W: DenseMatrix, factor: number): DenseMatrix => ({
  ...W,
  values: Float64Array.from(W.values, (value) => value * factor),
});

test.each([
  [12, 12],
  [30, 14],
  [14, 30],
])("a matrix of %i × %i has no intruder beside itself, nor beside its multiples", (rows, columns) => {
  const { normal } = random(0, "intruders");
  const W = { rows, columns, values: Float64Array.from({ length: rows * columns }, normal) };
  expect(intrudersOf(W, W)).toBe(0);
  expect(intrudersOf(W, scaled(W, -3))).toBe(0);
});

test("a large direction that no left singular vector is near to is one, a small one among the rest is none", () => {
  const axes = Array.from({ length: 16 }, (_, at) => 20 - at);
  const W = diagonal(16, 16, axes);
  const spread = (size: number) => Float64Array.from(W.values, (value, at) => value + (at % 16 === 3 ? size : 0));
  expect(intrudersOf(W, { ...W, values: spread(1000) })).toBe(1);
  expect(intrudersOf(W, { ...W, values: spread(1e-3) })).toBe(0);
});
