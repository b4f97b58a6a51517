import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { expect, test } from "vitest";
import { random } from "./random.ts";
import { countFor, type DenseMatrix, productSingularValues, singularValues } from "./singular-values.ts";

function drawn(rows: number, columns: number, step = 0): DenseMatrix {
  const { normal } = random(0, "a matrix", step);
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, normal) };
}

const matrix = ({ rows, columns, values }: DenseMatrix) => Matrix.from1DArray(rows, columns, Array.from(values));
const known = (M: Matrix) => new SingularValueDecomposition(M, { autoTranspose: true }).diagonal;

test.each([
  [1, 1],
  [7, 7],
  [40, 40],
  [48, 12],
  [9, 33],
])("a matrix of %i × %i has the singular values that its decomposition gives", (rows, columns) => {
  const W = drawn(rows, columns);
  const [found, wanted] = [singularValues(W), known(matrix(W))];
  expect(found).toHaveLength(Math.min(rows, columns));
  for (const [at, value] of found.entries()) expect(value / wanted[at]!).toBeCloseTo(1, 9);
});

test("values that are far below the largest are found too, and so are zeros", () => {
  const values = Float64Array.from({ length: 36 }, (_, at) => (at % 7 === 0 ? 10 ** -(at / 7 + 1) : 0));
  const small = singularValues({ rows: 6, columns: 6, values });
  for (const [at, value] of small.entries()) expect(value / 10 ** -(at + 1)).toBeCloseTo(1, 9);
  expect(singularValues({ rows: 3, columns: 4, values: new Float32Array(12) })).toEqual([0, 0, 0]);
});

test.each([
  [20, 3, 30],
  [4, 6, 5],
])("a product of %i × %i and × %i has those of the matrix that it makes", (rows, inner, columns) => {
  const [L, R] = [drawn(rows, inner), drawn(inner, columns, 1)];
  const found = productSingularValues(L, R, 2);
  const wanted = known(matrix(L).mmul(matrix(R)).mul(2)).slice(0, Math.min(rows, inner, columns));
  expect(found).toHaveLength(wanted.length);
  for (const [at, value] of found.entries()) expect(value / wanted[at]!).toBeCloseTo(1, 9);
});

test("the count for a share is of squares: of 3, 1, 1 the first carries 9 of 11 parts", () => {
  expect(countFor(0.8, [3, 1, 1])).toBe(1);
  expect(countFor(0.9, [3, 1, 1])).toBe(2);
  expect(countFor(0.9, [0, 0])).toBe(0);
});
