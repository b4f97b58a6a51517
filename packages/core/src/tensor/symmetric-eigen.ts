import { tridiagonalVectors } from "./tridiagonal-vectors.ts";

/** Of a symmetric matrix [n, n] the eigenvalues, ascending or not, with the vector of value i in row i. */
interface SymmetricEigen {
  readonly values: readonly number[];
  /** [n, n], an eigenvector of length 1 a row */
  readonly vectors: Float64Array;
}

/** All eigenvalues of a symmetric matrix [n, n], row by row, with their vectors; A is lost. */
export function symmetricEigen(A: Float64Array, n: number): SymmetricEigen {
  const { diagonal, beside, betas } = tridiagonal(A, n);
  const vectors = reflections(A, n, betas);
  turnToDiagonal(diagonal, beside, vectors);
  return { values: [...diagonal], vectors };
}

/**
 * All eigenvalues of a symmetric matrix [n, n], row by row, in no order, and the vectors of length 1 of the largest `count`,
 * the largest first. It takes a fifth of the time that all vectors take. A is lost.
 */
export function leadingEigen(
  A: Float64Array,
  n: number,
  count: number,
): { readonly values: readonly number[]; readonly leading: readonly Float64Array[] } {
  const { diagonal, beside, betas } = tridiagonal(A, n);
  const values = diagonal.slice();
  turnToDiagonal(values, beside.slice(), undefined);
  const largest = [...values].sort((a, b) => b - a).slice(0, count);
  const leading = tridiagonalVectors(diagonal, beside, largest);
  for (const vector of leading) turnBack(A, n, betas, vector);
  return { values: [...values], leading };
}

/**
 * The tridiagonal matrix that is similar to a symmetric one, by Householder's reflections (Golub and Van Loan, Matrix
 * Computations, section 8.3.1). In A's rows stay the vectors that were reflected by, behind the diagonal.
 */
function tridiagonal(A: Float64Array, n: number) {
  const [diagonal, beside, betas] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
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
    betas[k] = length > 0 ? 2 / length : 0;
    if (length > 0) reflect(A, n, k + 1, v, w, betas[k]!);
    for (let i = k + 1; i < n; i++) A[k * n + i] = v[i]!;
  }
  return { diagonal, beside, betas };
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

/** x ← H₀ H₁ … x, with the reflections of `tridiagonal`. */
function turnBack(A: Float64Array, n: number, betas: Float64Array, x: Float64Array): void {
  for (let k = n - 2; k >= 0; k--) {
    let along = 0;
    for (let j = k + 1; j < n; j++) along += A[k * n + j]! * x[j]!;
    along *= betas[k]!;
    for (let j = k + 1; j < n; j++) x[j] = x[j]! - along * A[k * n + j]!;
  }
}

/** … H₁ H₀, the reflections 1 − β v vᵀ of which v₀, v₁ … stand in the rows of A: [n, n] */
function reflections(A: Float64Array, n: number, betas: Float64Array): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) product[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    for (let i = k + 1; i < n; i++) {
      let along = 0;
      for (let j = k + 1; j < n; j++) along += product[i * n + j]! * A[k * n + j]!;
      along *= betas[k]!;
      for (let j = k + 1; j < n; j++) product[i * n + j] = product[i * n + j]! - along * A[k * n + j]!;
    }
  }
  return product;
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix in the place of its diagonal d, by implicit QL steps (Dubrulle, Martin and
 * Wilkinson 1968, Numer. Math. 12); the rows of Z are turned with them.
 */
function turnToDiagonal(d: Float64Array, e: Float64Array, Z: Float64Array | undefined): void {
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
        if (Z) turn(Z, n, at, sine, cosine);
      }
      if (at >= l) continue;
      d[l] = d[l]! - shift;
      e[l] = g;
      e[m] = 0;
    }
  }
}

/** Rows i and i + 1 of Z, turned towards each other. */
function turn(Z: Float64Array, n: number, i: number, sine: number, cosine: number): void {
  const [a, b] = [i * n, (i + 1) * n];
  for (let k = 0; k < n; k++) {
    const [x, y] = [Z[a + k]!, Z[b + k]!];
    Z[b + k] = sine * x + cosine * y;
    Z[a + k] = cosine * x - sine * y;
  }
}
