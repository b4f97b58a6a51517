import { random } from "./random.ts";

/** A random linear map P of a short vector to a long one that is never written down. */
interface Projection {
  /** out ← P x.  x: [inner], out: [outer] */
  expand(x: Float32Array, out: Float32Array): void;
  /** out ← Pᵀ y.  y: [outer], out: [inner] */
  contract(y: Float32Array, out: Float32Array): void;
}

/**
 * Fastfood (Le, Sarlos and Smola 2013, arXiv:1408.3060, section 3): P is a stack of blocks H G Π H B / s of the size d', the
 * power of two from `inner` on; H is the Walsh-Hadamard matrix, G diagonal and normal, Π a permutation, B diagonal of signs, x
 * is padded with zeros, and s = √(inner · Σ G²) makes every row of P one of length 1. A product takes outer · 2 log₂ d' sums
 * instead of outer · inner.
 */
export function fastfood(outer: number, inner: number, seed: number): Projection {
  const size = 2 ** Math.max(1, Math.ceil(Math.log2(inner)));
  const blocks = Array.from({ length: Math.ceil(outer / size) }, (_, at) => drawnBlock(size, inner, seed, at));
  const work = new Float32Array(size);
  const other = new Float32Array(size);
  return {
    expand(x, out) {
      for (const [at, { signs, order, normals }] of blocks.entries()) {
        work.fill(0);
        for (let i = 0; i < inner; i++) work[i] = signs[i]! * x[i]!;
        hadamard(work);
        for (let i = 0; i < size; i++) other[i] = normals[i]! * work[order[i]!]!;
        hadamard(other);
        const start = at * size;
        const count = Math.min(size, outer - start);
        for (let i = 0; i < count; i++) out[start + i] = other[i]!;
      }
    },
    contract(y, out) {
      out.fill(0);
      for (const [at, { signs, order, normals }] of blocks.entries()) {
        const start = at * size;
        const count = Math.min(size, outer - start);
        other.fill(0);
        for (let i = 0; i < count; i++) other[i] = y[start + i]!;
        hadamard(other);
        for (let i = 0; i < size; i++) work[order[i]!] = normals[i]! * other[i]!;
        hadamard(work);
        for (let i = 0; i < inner; i++) out[i] = out[i]! + signs[i]! * work[i]!;
      }
    },
  };
}

interface Block {
  readonly signs: Int8Array;
  readonly order: Uint32Array;
  /** G with 1 / s in it */
  readonly normals: Float32Array;
}

function drawnBlock(size: number, inner: number, seed: number, number: number): Block {
  const { uint32, fillNormal, order: drawnOrder } = random(seed, "fastfood", number);
  const signs = Int8Array.from({ length: size }, () => (uint32() % 2 === 0 ? 1 : -1));
  const order = drawnOrder(size);
  const normals = new Float32Array(size);
  fillNormal(normals, 0, 1);
  const scale = 1 / Math.sqrt(inner * normals.reduce((sum, value) => sum + value * value, 0));
  return { signs, order, normals: normals.map((value) => value * scale) };
}

/** values ← H values, in place; the length is a power of two. */
function hadamard(values: Float32Array): void {
  const { length } = values;
  for (let half = 1; half < length; half *= 2) {
    for (let start = 0; start < length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
}
