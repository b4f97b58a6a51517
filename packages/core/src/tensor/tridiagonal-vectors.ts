import { random } from "./random.ts";

/** Turns after which a vector stands still: each multiplies what is foreign in it by about 1e-16 / the values' distance. */
const turns = 3;

/**
 * Vectors of length 1 for some eigenvalues of a symmetric tridiagonal matrix T, orthogonal to each other: inverse iteration,
 * x ← (T − λ)⁻¹ x, away from those that were found before (Wilkinson 1965, The Algebraic Eigenvalue Problem, chapter 5;
 * LAPACK's stein).
 */
export function tridiagonalVectors(
  diagonal: Float64Array,
  beside: Float64Array,
  values: readonly number[],
): readonly Float64Array[] {
  const n = diagonal.length;
  const size = Math.max(...diagonal.map(Math.abs), ...beside.map(Math.abs)) || 1;
  const found: Float64Array[] = [];
  for (const [at, value] of values.entries()) {
    const { normal } = random(0, "inverse iteration", at);
    const x = Float64Array.from({ length: n }, normal);
    const shifted = diagonal.map((each) => each - value);
    for (let turn = 0; turn < turns; turn++) {
      solve(shifted, beside, x, Number.EPSILON * size);
      for (const other of found) subtract(x, other, dot(x, other));
      const length = Math.sqrt(dot(x, x));
      for (let i = 0; i < n; i++) x[i] = x[i]! / length;
    }
    found.push(x);
  }
  return found;
}

/** x ← T⁻¹ x for a symmetric tridiagonal T, by elimination with exchanges of neighbouring rows; a pivot of 0 counts as `least`. */
function solve(diagonal: Float64Array, beside: Float64Array, x: Float64Array, least: number): void {
  const n = diagonal.length;
  const [first, second, third] = [diagonal.slice(), beside.slice(), new Float64Array(n)]; // rows of the upper triangle
  for (let i = 0; i < n - 1; i++) {
    let [below, next, after] = [beside[i]!, first[i + 1]!, i + 2 < n ? second[i + 1]! : 0];
    if (Math.abs(below) > Math.abs(first[i]!)) {
      [first[i], below] = [below, first[i]!];
      [second[i], next] = [next, second[i]!];
      [third[i], after] = [after, third[i]!];
      [x[i], x[i + 1]] = [x[i + 1]!, x[i]!];
    }
    if (first[i] === 0) first[i] = least;
    const factor = below / first[i]!;
    first[i + 1] = next - factor * second[i]!;
    second[i + 1] = after - factor * third[i]!;
    x[i + 1] = x[i + 1]! - factor * x[i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const rest = second[i]! * (x[i + 1] ?? 0) + third[i]! * (x[i + 2] ?? 0);
    x[i] = (x[i]! - rest) / (Math.abs(first[i]!) < least ? least : first[i]!);
  }
}

function subtract(x: Float64Array, other: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! - factor * other[i]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
