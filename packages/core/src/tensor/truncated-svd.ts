import { Matrix, QrDecomposition, SingularValueDecomposition } from "ml-matrix";
import { random } from "./random.ts";

/** The largest singular values of a matrix with their vectors: W ≈ U diag(S) Vᵀ. */
interface TruncatedSvd {
  /** [rows, rank], orthonormal columns */
  readonly U: Matrix;
  /** the largest first */
  readonly S: readonly number[];
  /** [columns, rank], orthonormal columns */
  readonly V: Matrix;
}

/**
 * The best approximation of a rank that a matrix has (Eckart and Young 1936), 0 < rank <= min(rows, columns).
 * Some more directions than the rank are turned towards W's largest by W Wᵀ again and again until the singular values
 * stand still (Halko, Martinsson and Tropp 2009, arXiv:0909.4061, algorithm 4.4): some products with W instead of its
 * whole decomposition.
 */
export function truncatedSvd(W: Matrix, rank: number): TruncatedSvd {
  const width = rank + spareDirections;
  if (width >= Math.min(W.rows, W.columns)) return largestOf(decomposed(W), rank);
  const transposed = W.transpose();
  let [Q, values] = turned(W, anyDirections(W.columns, width), rank);
  for (let turns = 0; turns < mostTurns; turns++) {
    const [P] = turned(transposed, Q, rank);
    const [next, found] = turned(W, P, rank);
    const moved = Math.max(...found.map((value, at) => Math.abs(value - (values[at] ?? 0))));
    [Q, values] = [next, found];
    if (moved <= standstill * (found[0] ?? 0)) break;
  }
  const { U, S, V } = largestOf(decomposed(Q.transpose().mmul(W)), rank); // W ≈ Q (Qᵀ W)
  return { U: Q.mmul(U), S, V };
}

const spareDirections = 10;
const mostTurns = 100;
/** a value's error is the square of its vector's: float32's vectors have settled */
const standstill = 1e-15;

const anyDirections = (rows: number, columns: number): Matrix => {
  const { normal } = random(0, "singular directions");
  return Matrix.from1DArray(
    rows,
    columns,
    Array.from({ length: rows * columns }, () => normal()),
  );
};

/** An orthonormal basis of M X, and the first of M's singular values within it. */
function turned(M: Matrix, X: Matrix, rank: number): [Matrix, readonly number[]] {
  const { orthogonalMatrix, upperTriangularMatrix } = new QrDecomposition(M.mmul(X));
  return [orthogonalMatrix, decomposed(upperTriangularMatrix).S.slice(0, rank)];
}

function decomposed(M: Matrix): TruncatedSvd {
  const svd = new SingularValueDecomposition(M, { autoTranspose: true });
  return { U: svd.leftSingularVectors, S: svd.diagonal, V: svd.rightSingularVectors };
}

function largestOf({ U, S, V }: TruncatedSvd, rank: number): TruncatedSvd {
  const first = (M: Matrix) => M.subMatrix(0, M.rows - 1, 0, rank - 1);
  return { U: first(U), S: S.slice(0, rank), V: first(V) };
}
