import { Matrix, QrDecomposition, SingularValueDecomposition } from "ml-matrix";

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
export function singularValues(W: DenseMatrix): readonly number[] {
  const eigenvalues = symmetricEigenvalues(gram(W), Math.min(W.rows, W.columns));
  const values = eigenvalues.map((value) => Math.sqrt(Math.max(0, value))).sort((a, b) => b - a);
  const [largest = 0, least = 0] = [values[0], values.at(-1)];
  return largest === 0 || least > leastShare * largest ? values : decomposedValues(W);
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

/** Eigenvalues of a symmetric matrix [n, n], in no order: Householder's tridiagonal form, then implicit QL steps. */
function symmetricEigenvalues(A: Float64Array, n: number): readonly number[] {
  const { diagonal, beside } = tridiagonal(A, n);
  return tridiagonalEigenvalues(diagonal, beside);
}

/** The tridiagonal matrix that is similar to a symmetric one (Golub and Van Loan, Matrix Computations, section 8.3.1); A is lost. */
function tridiagonal(A: Float64Array, n: number) {
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  const [v, w] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    diagonal[k] = A[k * n + k]!;
    if (k === n - 1) break;
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = A[k * n + i]!;
      square += v[i]! * v[i]!;
    }
    const first = v[k + 1]!;
    const target = first > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    beside[k] = target;
    v[k + 1] = first - target;
    const length = square - first * first + v[k + 1]! * v[k + 1]!;
    if (length > 0) reflect(A, n, k + 1, v, w, 2 / length);
  }
  return { diagonal, beside };
}

/** A ← (1 − β v vᵀ) A (1 − β v vᵀ) in the rows and columns from `from` on. */
function reflect(A: Float64Array, n: number, from: number, v: Float64Array, w: Float64Array, beta: number): void {
  let along = 0;
  for (let i = from; i < n; i++) {
    let sum = 0;
    for (let j = from; j < n; j++) sum += A[i * n + j]! * v[j]!;
    w[i] = beta * sum;
    along += w[i]! * v[i]!;
  }
  const shift = (beta * along) / 2;
  for (let i = from; i < n; i++) w[i] = w[i]! - shift * v[i]!;
  for (let i = from; i < n; i++) {
    const [a, b] = [v[i]!, w[i]!];
    for (let j = from; j < n; j++) A[i * n + j] = A[i * n + j]! - a * w[j]! - b * v[j]!;
  }
}

/** Eigenvalues of a symmetric tridiagonal matrix by implicit QL steps (Dubrulle, Martin and Wilkinson 1968, Numer. Math. 12). */
function tridiagonalEigenvalues(d: Float64Array, e: Float64Array): readonly number[] {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? Math.hypot(g, 1) : -Math.hypot(g, 1)));
      let [sine, cosine, shift, at] = [1, 1, 0, m - 1];
      for (; at >= l; at--) {
        const f = sine * e[at]!;
        const b = cosine * e[at]!;
        const r = Math.hypot(f, g);
        e[at + 1] = r;
        if (r === 0) {
          d[at + 1] = d[at + 1]! - shift;
          e[m] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[at + 1]! - shift;
        const t = (d[at]! - g) * sine + 2 * cosine * b;
        shift = sine * t;
        d[at + 1] = g + shift;
        g = cosine * t - b;
      }
      if (at >= l) continue;
      d[l] = d[l]! - shift;
      e[l] = g;
      e[m] = 0;
    }
  }
  return [...d];
}
