import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { expect, test } from "vitest";
import { random } from "./random.ts";
import { truncatedSvd } from "./truncated-svd.ts";

const { normal } = random(1, "matrix");
const drawn = (rows: number, columns: number) =>
  Matrix.from1DArray(
    rows,
    columns,
    Array.from({ length: rows * columns }, () => normal()),
  );
const product = ({ U, S, V }: ReturnType<typeof truncatedSvd>) => U.mmul(Matrix.diag([...S])).mmul(V.transpose());
const distance = (a: Matrix, b: Matrix) => Math.max(...Matrix.sub(a, b).abs().to1DArray());

// 40 × 60 is turned towards its largest directions, 12 × 9 decomposed whole
test.each([
  [40, 60, 5],
  [60, 40, 1],
  [12, 9, 4],
  [9, 12, 9],
])("of a [%i, %i] matrix it is the whole decomposition's first %i directions", (rows, columns, rank) => {
  const W = drawn(rows, columns);
  const whole = new SingularValueDecomposition(W, { autoTranspose: true });
  const first = (M: Matrix) => M.subMatrix(0, M.rows - 1, 0, rank - 1);
  const found = truncatedSvd(W, rank);
  const wanted = {
    U: first(whole.leftSingularVectors),
    S: whole.diagonal.slice(0, rank),
    V: first(whole.rightSingularVectors),
  };
  // the values stand still to 1e-15, so that vectors are right to the root of that, over the gap to the next value
  for (const [at, value] of found.S.entries()) expect(Math.abs(value - wanted.S[at]!)).toBeLessThan(1e-10);
  expect(distance(product(found), product(wanted))).toBeLessThan(1e-6);
  for (const vectors of [found.U, found.V])
    expect(distance(vectors.transpose().mmul(vectors), Matrix.eye(rank))).toBeLessThan(1e-12); // float64
});

test("of a matrix of a lower rank it is the matrix itself", () => {
  const W = drawn(40, 2).mmul(drawn(2, 30));
  expect(distance(product(truncatedSvd(W, 4)), W)).toBeLessThan(1e-10); // float64, numbers about 1
});

test("of zeros it is zero", () => {
  expect(distance(product(truncatedSvd(Matrix.zeros(30, 20), 2)), Matrix.zeros(30, 20))).toBe(0);
});
