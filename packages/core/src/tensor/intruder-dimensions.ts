import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { DenseMatrix } from "./singular-values.ts";

/** How many of the tuned matrix's first left singular vectors are looked at, and the cosine below which one is foreign. */
const [leading, similar] = [10, 0.5];

/**
 * How many of W′'s ten largest left singular vectors have a cosine below 0.5 with every left singular vector of W, both
 * [m, n]: directions that tuning has brought in from outside. |u′ᵢ · uⱼ| < 0.5 for all j.
 * Source: Shuttleworth et al. 2024, arXiv:2410.21228, section 3 and algorithm 1.
 */
export function intruderDimensions(W: DenseMatrix, tuned: DenseMatrix): number {
  const cosines = leftVectors(tuned, leading).transpose().mmul(leftVectors(W));
  return cosines.to2DArray().filter((row) => row.every((cosine) => Math.abs(cosine) < similar)).length;
}

/** Left singular vectors as columns, the largest value's first: all min(m, n) or the first `count`. */
function leftVectors(W: DenseMatrix, count = Math.min(W.rows, W.columns)): Matrix {
  const M = Matrix.from1DArray(W.rows, W.columns, Array.from(W.values));
  const wide = W.rows <= W.columns;
  const gram = wide ? M.mmul(M.transpose()) : M.transpose().mmul(M);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const order = realEigenvalues.map((value, at) => ({ value, at })).sort((a, b) => b.value - a.value);
  const vectors = eigenvectorMatrix.subMatrixColumn(order.slice(0, count).map(({ at }) => at));
  return unitColumns(wide ? vectors : M.mmul(vectors)); // u = W v / σ
}

/** Columns of length 1; those of no length stay. */
function unitColumns(M: Matrix): Matrix {
  const lengths = Array.from({ length: M.columns }, (_, at) => Math.hypot(...M.getColumn(at)));
  return M.divRowVector(lengths.map((length) => length || 1));
}
