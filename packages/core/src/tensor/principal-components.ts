import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/**
 * The rows in the `size` directions in which they differ most (Hotelling 1933: principal components), less their mean and
 * scaled to a mean square length of 1: row i is (xᵢ − x̄) V s with V [axes, size] the eigenvectors of the covariance's
 * largest eigenvalues. Where the rows have fewer axes the last places are 0.
 */
export function principalComponents(rows: readonly Float32Array[], size: number): readonly Float32Array[] {
  const axes = rows[0]?.length ?? 0;
  const mean = new Float64Array(axes);
  for (const row of rows) for (let i = 0; i < axes; i++) mean[i]! += row[i]! / rows.length;
  const centred = rows.map((row) => Float64Array.from(row, (value, i) => value - mean[i]!));
  const directions = largestDirections(covariance(centred, axes), Math.min(size, axes));
  const found = centred.map((row) => Float64Array.from({ length: size }, (_, at) => dot(row, directions[at])));
  const square = found.reduce((sum, row) => sum + dot(row, row), 0) / rows.length;
  const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
  return found.map((row) => Float32Array.from(row, (value) => value * scale));
}

function covariance(rows: readonly Float64Array[], axes: number): Matrix {
  const sums = Matrix.zeros(axes, axes);
  for (const row of rows) {
    for (let i = 0; i < axes; i++)
      for (let j = 0; j <= i; j++) sums.set(i, j, sums.get(i, j) + (row[i]! * row[j]!) / rows.length);
  }
  for (let i = 0; i < axes; i++) for (let j = 0; j < i; j++) sums.set(j, i, sums.get(i, j));
  return sums;
}

/** Eigenvectors of a symmetric matrix, those of the largest eigenvalues first. */
function largestDirections(symmetric: Matrix, count: number): readonly Float64Array[] {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = realEigenvalues.map((value, at) => ({ value, at })).sort((a, b) => b.value - a.value);
  return order.slice(0, count).map(({ at }) => Float64Array.from(eigenvectorMatrix.getColumn(at)));
}

function dot(a: Float64Array, b: Float64Array | undefined): number {
  let sum = 0;
  if (b) for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
