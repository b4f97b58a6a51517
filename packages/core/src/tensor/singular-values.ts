import { Matrix, QrDecomposition, SingularValueDecomposition } from "ml-matrix";
import { leadingEigen, symmetricEigen } from "./symmetric-eigen.ts";

/** A matrix, row by row. */
export interface DenseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** below this share of the largest, squares have lost the digits of a singular value */
const leastShare = 1e-5;

/**
 * All min(rows, columns) singular values, descending. They are the roots of the eigenvalues of W Wᵀ or Wᵀ W, whichever is
 * smaller, in double precision: a value σ is then right to about 1e-15 (σ₁ / σ)², which is a third of the work of a
 * decomposition of W; where the smallest falls below 1e-5 σ₁, W itself is decomposed.
 */
export const singularValues = (W: DenseMatrix): readonly number[] => leadingSingular(W, 0).values;

/** The same, and the left singular vectors of the largest `count`, the largest's first, each up to a factor. */
export function leadingSingular(W: DenseMatrix, count: number): Singular {
  const { values: eigenvalues, leading } = leadingEigen(gram(W), Math.min(W.rows, W.columns), count);
  const values = eigenvalues.map((value) => Math.sqrt(Math.max(0, value))).sort((a, b) => b - a);
  const [largest = 0, least = 0] = [values[0], values.at(-1)];
  return {
    values: largest === 0 || least > leastShare * largest ? values : decomposedValues(W),
    left: leading.map((vector) => leftOf(W, vector)),
  };
}

/** All min(rows, columns) left singular vectors, in no order, each up to a factor. */
export function leftVectors(W: DenseMatrix): readonly Float64Array[] {
  const n = Math.min(W.rows, W.columns);
  const { vectors } = symmetricEigen(gram(W), n);
  return Array.from({ length: n }, (_, at) => leftOf(W, vectors.subarray(at * n, (at + 1) * n)));
}

interface Singular {
  readonly values: readonly number[];
  readonly left: readonly Float64Array[];
}

/** Of an eigenvector of W Wᵀ itself; of one of Wᵀ W the vector W v = σ u. */
function leftOf({ rows, columns, values }: DenseMatrix, vector: Float64Array): Float64Array {
  if (rows <= columns) return vector;
  const result = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += values[i * columns + j]! * vector[j]!;
    result[i] = sum;
  }
  return result;
}

/** The min(rows, inner, columns) singular values of factor · L R, without the product: L: [rows, inner], R: [inner, columns]. */
export function productSingularValues(L: DenseMatrix, R: DenseMatrix, factor: number): readonly number[] {
  const triangle = (M: Matrix) => (M.rows > M.columns ? new QrDecomposition(M).upperTriangularMatrix : M);
  const small = triangle(matrixOf(L)).mmul(triangle(matrixOf(R).transpose()).transpose());
  return valuesOf(small).map((value) => Math.abs(factor) * value);
}

/** How many of the largest singular values carry a share of the sum of their squares; 0 where all are 0. */
export function countFor(share: number, values: readonly number[]): number {
  const total = values.reduce((all, value) => all + value * value, 0);
  if (total === 0) return 0;
  let sum = 0;
  for (const [at, value] of values.entries()) {
    sum += value * value;
    if (sum >= share * total) return at + 1;
  }
  return values.length;
}

const matrixOf = ({ rows, columns, values }: DenseMatrix): Matrix =>
  Matrix.from1DArray(rows, columns, Array.from(values));

function valuesOf(M: Matrix): readonly number[] {
  const options = { autoTranspose: true, computeLeftSingularVectors: false, computeRightSingularVectors: false };
  return [...new SingularValueDecomposition(M, options).diagonal].sort((a, b) => b - a);
}

function decomposedValues(W: DenseMatrix): readonly number[] {
  const M = matrixOf(W);
  const tall = M.rows >= M.columns ? M : M.transpose();
  const small = tall.rows > 2 * tall.columns ? new QrDecomposition(tall).upperTriangularMatrix : tall;
  return valuesOf(small).slice(0, Math.min(W.rows, W.columns));
}

/** W Wᵀ or Wᵀ W, the smaller one: [n, n], both halves. */
function gram({ rows, columns, values }: DenseMatrix): Float64Array {
  return rows <= columns ? products(values, rows, columns) : products(transposed(values, rows, columns), columns, rows);
}

function transposed(values: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = values[i * columns + j]!;
  return turned;
}

function products(given: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const values = Float64Array.from(given);
  const result = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [i * columns, j * columns];
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += values[a + k]! * values[b + k]!;
      result[i * rows + j] = sum;
      result[j * rows + i] = sum;
    }
  }
  return result;
}
