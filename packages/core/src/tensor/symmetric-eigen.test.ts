import { expect, test } from "vitest";
import { random } from "./random.ts";
import { leadingEigen, symmetricEigen } from "./symmetric-eigen.ts";

/** A symmetric matrix [n, n] whose eigenvalues fall off to a repeated 0. */
function drawn(n: number): Float64Array {
  const { normal } = random(0, "a symmetric matrix", n);
  const B = Float64Array.from({ length: n * n }, normal);
  const A = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < Math.ceil(n / 2); k++)
        A[i * n + j] = A[i * n + j]! + (B[i * n + k]! * B[j * n + k]!) / (k + 1);
  return A;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

test.each([1, 2, 3, 17, 40])("the rows of [%i, n] are eigenvectors of their values and orthonormal", (n) => {
  const A = drawn(n);
  const { values, vectors } = symmetricEigen(A.slice(), n);
  const row = (at: number) => vectors.subarray(at * n, (at + 1) * n);
  const size = Math.max(...values.map(Math.abs), 1);
  let compared = 0;
  for (const [at, value] of values.entries())
    for (let i = 0; i < n; i++) {
      // rounding of double precision grows with n and the largest value
      expect(Math.abs(dot(A.subarray(i * n, (i + 1) * n), row(at)) - value * row(at)[i]!)).toBeLessThan(
        1e-13 * n * size,
      );
      expect(Math.abs(dot(row(at), row(i)) - (at === i ? 1 : 0))).toBeLessThan(1e-13 * n);
      compared++;
    }
  expect(compared).toBe(n * n);
});

test.each([1, 2, 17, 40])(
  "of [%i, n] the leading vectors are those of all, and the values are equal to the bit",
  (n) => {
    const all = symmetricEigen(drawn(n), n);
    const { values, leading } = leadingEigen(drawn(n), n, 5);
    expect(values).toEqual(all.values);
    const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, 5);
    expect(leading).toHaveLength(order.length);
    for (const [place, at] of order.entries()) {
      const cosine = dot(leading[place]!, all.vectors.subarray(at * n, (at + 1) * n));
      expect(Math.abs(cosine)).toBeCloseTo(1, 10); // the values are far apart against double precision
    }
  },
);

test("values that are equal have vectors that are orthogonal, also where the matrix falls into parts", () => {
  const A = new Float64Array(36);
  for (const [at, value] of [5, 2, 5, 0, 5, 2].entries()) A[at * 6 + at] = value;
  const { leading } = leadingEigen(A.slice(), 6, 4);
  for (const [at, u] of leading.entries()) {
    const value = at < 3 ? 5 : 2;
    for (let i = 0; i < 6; i++) expect(A[i * 6 + i]! * u[i]!).toBeCloseTo(value * u[i]!, 12);
    for (const [other, v] of leading.entries()) expect(dot(u, v)).toBeCloseTo(at === other ? 1 : 0, 12);
  }
  expect(symmetricEigen(A, 6).values.toSorted()).toEqual([0, 2, 2, 5, 5, 5]);
});
